/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A zip archive, read in place: its index once, then entries, stored or deflated, in any order. Labels are those of a
 * file dataset.json in it, as EDM's tools write it, else the folders in it.
 */
#include "data/source.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "data/edm_labels.h"
#include "data/found.h"
#include "tensorfile/zip.h"

#include <string.h>

/* What reading an entry takes. */
struct entry {
    uint64_t at, packed, size;
    uint32_t crc;
    int deflated;
};

struct zip {
    struct mdm_tensorfile file;
    struct entry *entry; /* by the place of an image */
};

/* The n bytes from `from` on of what is deflated: all before them are unpacked as well. */
static int inflate_part(struct mdm_tensorfile *file, const struct entry *e, void *out, size_t n, uint64_t from)
{
    unsigned char *all;
    int r;

    if (!from)
        return mdm_tensorfile_inflate(file, e->at, e->packed, out, n);
    all = mdm_malloc((size_t)from + n);
    if (!all)
        return mdm_fail_memory((size_t)from + n, "an image file");
    r = mdm_tensorfile_inflate(file, e->at, e->packed, all, (size_t)from + n);
    if (r >= 0)
        memcpy(out, all + from, n);
    mdm_free(all);
    return r;
}

/* All of an entry is held against its checksum. */
static int read_entry(struct zip *z, const struct entry *e, void *out, size_t n, uint64_t from)
{
    uint32_t found;

    if (e->deflated && n)
        MDM_TRY(inflate_part(&z->file, e, out, n, from));
    else
        MDM_TRY(mdm_tensorfile_bytes_at(&z->file, out, n, e->at + from));
    if (n < e->size || !e->crc)
        return MASKDM_OK;
    found = mdm_crc32_add(z->file.crc, 0, out, n);
    return found == e->crc ? MASKDM_OK
                           : mdm_fail(MASKDM_EFORMAT, "the entry is damaged: its checksum is %08x instead of %08x",
                                      (unsigned)found, (unsigned)e->crc);
}

static int read_bytes(const struct mdm_scan *s, int64_t i, void *out, size_t n, uint64_t at)
{
    struct zip *z = s->source;

    return read_entry(z, &z->entry[s->file[i].place], out, n, at);
}

/* The file of labels at hand. */
struct labels {
    struct zip *zip;
    const struct entry *entry;
};

static int read_labels(void *user, void *out, size_t n)
{
    const struct labels *l = user;

    return read_entry(l->zip, l->entry, out, n, 0);
}

static int take_entry(struct mdm_found *f, struct zip *z, const struct mdm_zip_entry *e, int64_t i)
{
    z->entry[i] = (struct entry){e->at, e->packed, e->size, e->crc, e->deflated};
    if (e->folder)
        return MASKDM_OK;
    MDM_TRY(mdm_found_name(f, e->name, strlen(e->name), e->at));
    if (mdm_edm_labels_is(f->name))
        return mdm_edm_labels_take(f, e->size, read_labels, &(struct labels){z, &z->entry[i]});
    return mdm_found_file(f, e->size, (uint64_t)i);
}

static int take_entries(struct mdm_found *f, struct zip *z)
{
    struct mdm_zip index;
    int r = mdm_zip_open(&index, &z->file, MDM_ZIP_ANY);

    if (r < 0)
        return mdm_fail_prefix(r, "%s", f->path);
    z->entry = mdm_need((size_t)index.count, sizeof *z->entry, "the entries of an archive");
    if (!z->entry)
        r = MASKDM_ENOMEM;
    for (int64_t i = 0; i < index.count && r >= 0; i++)
        r = take_entry(f, z, &index.entry[i], i);
    mdm_zip_close(&index);
    return r;
}

static int find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except, const struct mdm_log *log,
                maskdm_control *control)
{
    struct zip *z = s->source = mdm_need(1, sizeof *z, "an archive");
    struct mdm_found *f = z ? mdm_need(1, sizeof *f, "reading an archive") : NULL;
    int r;

    (void)except;
    if (!f)
        return MASKDM_ENOMEM;
    mdm_found_begin(f, s, path, log, control);
    r = mdm_tensorfile_open_as(&z->file, path, mdm_tensorfile_parts_create);
    if (r >= 0)
        r = take_entries(f, z);
    r = mdm_found_end(f, r);
    mdm_free(f);
    return r;
}

static int is_zip(const struct mdm_source_look *look)
{
    return look->kind == MDM_FILE_REGULAR &&
           (mdm_has_suffix(look->path, ".zip") || (look->n > 3 && memcmp(look->head, "PK\3\4", 4) == 0));
}

static void finish(void *source)
{
    struct zip *z = source;

    mdm_tensorfile_close(&z->file);
    mdm_free(z->entry);
    mdm_free(z);
}

const struct mdm_source_class mdm_zip_source = {.is = is_zip, .find = find, .bytes = read_bytes, .close = finish};
