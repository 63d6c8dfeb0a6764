/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From an archive to a table of tensors: index, pickle, walk. The tensors then lie in the file like those
 * of any tensor file and are read in place.
 */
#include "tensorfile/torch_private.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

enum { MOST_PICKLE = 64 << 20, MOST_VISITS = 4 << 20, TEXT_SHARE = 16 };

/* The folder that the first entry is in; all the others must be in it too. */
static int find_root(struct mdm_torch *t)
{
    const char *first = t->zip.entry[0].name, *slash = strchr(first, '/');
    size_t n;

    if (strlen(first) > 4 && !strcmp(first + strlen(first) - 4, ".npy"))
        return mdm_fail(MASKDM_EFORMAT, "a NumPy archive, no PyTorch checkpoint");
    if (!slash)
        return mdm_fail(MASKDM_EFORMAT,
                        "entry " MDM_TENSORFILE_SHOWN " is in no folder: a zip archive, but no PyTorch "
                        "checkpoint",
                        first);
    n = (size_t)(slash - first) + 1;
    memcpy(t->root, first, n);
    t->root[n] = '\0';
    for (int64_t i = 1; i < t->zip.count; i++)
        if (strncmp(t->zip.entry[i].name, t->root, n))
            return mdm_fail(MASKDM_EFORMAT,
                            "entry " MDM_TENSORFILE_SHOWN " is not in folder \"%.160s\" like the first",
                            t->zip.entry[i].name, t->root);
    return MASKDM_OK;
}

static const struct mdm_zip_entry *find_part(struct mdm_torch *t, const char *part)
{
    char name[MDM_TENSORFILE_NAME + 32];

    mdm_format(name, sizeof name, "%s%s", t->root, part);
    return mdm_zip_find(&t->zip, name);
}

/* Entry i becomes part i of the file. */
static int make_parts(struct mdm_torch *t)
{
    struct mdm_tensorfile_part *part = mdm_need((size_t)t->zip.count, sizeof *part, "the entries of an archive");

    if (!part)
        return MASKDM_ENOMEM;
    t->s->part = part;
    for (int64_t i = 0; i < t->zip.count; i++) {
        const struct mdm_zip_entry *e = &t->zip.entry[i];

        part[i].at = e->at;
        part[i].size = e->size;
        part[i].crc = e->crc;
        atomic_init(&part[i].good, e->checked || !e->crc);
    }
    return MASKDM_OK;
}

static int check_byteorder(struct mdm_torch *t)
{
    const struct mdm_zip_entry *e = find_part(t, "byteorder");
    char order[6];

    if (!e)
        return MASKDM_OK;
    if (e->size == sizeof order)
        MDM_TRY(mdm_tensorfile_bytes_at(t->s, order, sizeof order, e->at));
    if (e->size != sizeof order || memcmp(order, "little", sizeof order))
        return mdm_fail(MASKDM_EFORMAT, "its storages are not little endian; save it anew on such a machine");
    return MASKDM_OK;
}

static int read_pickle(struct mdm_torch *t, const unsigned char *bytes, size_t size)
{
    int err = mdm_pickle_open(&t->pickle, bytes, size);

    if (err)
        return mdm_fail_prefix(err, "data.pkl");
    t->visit_limit = size < MOST_VISITS ? size : MOST_VISITS;
    t->text_limit = TEXT_SHARE * (uint64_t)size;
    err = mdm_torch_walk(t);
    mdm_pickle_close(&t->pickle);
    return err;
}

static int read_parts(struct mdm_torch *t)
{
    const struct mdm_zip_entry *e;
    unsigned char *bytes;
    int err;

    MDM_TRY(find_root(t));
    e = find_part(t, "data.pkl");
    if (!e)
        return mdm_fail(MASKDM_EFORMAT,
                        "there is no entry \"%.160sdata.pkl\": a zip archive, but no PyTorch "
                        "checkpoint",
                        t->root);
    if (find_part(t, "constants.pkl"))
        return mdm_fail(MASKDM_EFORMAT,
                        "a TorchScript archive, whose code is not read; write the module's state_dict() with "
                        "torch.save");
    if (e->size > MOST_PICKLE)
        return mdm_fail(MASKDM_EFORMAT, "data.pkl has %llu bytes; at most %d are allowed",
                        (unsigned long long)e->size, MOST_PICKLE);
    MDM_TRY(check_byteorder(t));
    MDM_TRY(make_parts(t));
    bytes = mdm_malloc(e->size ? (size_t)e->size : 1);
    if (!bytes)
        return mdm_fail_memory((size_t)e->size, "the pickle of a checkpoint");
    err = mdm_tensorfile_bytes_at(t->s, bytes, (size_t)e->size, e->at);
    if (!err)
        err = mdm_zip_check(e, t->s, bytes);
    if (!err)
        err = read_pickle(t, bytes, (size_t)e->size);
    mdm_free(bytes);
    return err ? err : mdm_tensorfile_index(t->s);
}

int mdm_torch_read(struct mdm_tensorfile *s)
{
    struct mdm_torch *t = mdm_need(1, sizeof *t, "reading a checkpoint");
    int err;

    if (!t)
        return MASKDM_ENOMEM;
    t->s = s;
    err = mdm_tensorfile_parts_create(s);
    if (!err)
        err = mdm_zip_open(&t->zip, s, MDM_ZIP_STORED);
    if (!err) {
        err = read_parts(t);
        mdm_zip_close(&t->zip);
    }
    mdm_free(t);
    return err ? mdm_fail_prefix(err, "%s", mdm_tensorfile_label(s)) : MASKDM_OK;
}
