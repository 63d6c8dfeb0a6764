/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From an archive to a table of tensors: index, pickle, walk. The tensors then lie in the file like those
 * of any tensor file and are read in place.
 */
#include "io/torch_private.h"

#include "util/alloc.h"
#include "util/error.h"
#include "util/json.h"

#include <string.h>

enum { MOST_PICKLE = 64 << 20, MOST_VISITS = 4 << 20, TEXT_SHARE = 16 };
/* An archive's first entry. */
static const unsigned char zip_magic[] = {'P', 'K', 3, 4};

/* The folder that the first entry is in; all the others must be in it too. */
static int find_root(struct maskdm_torch *t)
{
    const char *first = t->zip.entry[0].name, *slash = strchr(first, '/');
    size_t n;

    if (strlen(first) > 4 && !strcmp(first + strlen(first) - 4, ".npy"))
        return maskdm_fail(MASKDM_EFORMAT, "a NumPy archive, no PyTorch checkpoint");
    if (!slash)
        return maskdm_fail(MASKDM_EFORMAT,
                           "entry " MASKDM_ST_SHOWN " is in no folder: a zip archive, but no PyTorch "
                           "checkpoint",
                           first);
    n = (size_t)(slash - first) + 1;
    memcpy(t->root, first, n);
    t->root[n] = '\0';
    for (int64_t i = 1; i < t->zip.count; i++)
        if (strncmp(t->zip.entry[i].name, t->root, n))
            return maskdm_fail(MASKDM_EFORMAT, "entry " MASKDM_ST_SHOWN " is not in folder \"%.160s\" like the first",
                               t->zip.entry[i].name, t->root);
    return MASKDM_OK;
}

static const struct maskdm_zip_entry *find_part(struct maskdm_torch *t, const char *part)
{
    char name[MASKDM_ST_NAME + 32];

    maskdm_format(name, sizeof name, "%s%s", t->root, part);
    return maskdm_zip_find(&t->zip, name);
}

/* Entry i becomes part i of the file. */
static int make_parts(struct maskdm_torch *t)
{
    struct maskdm_st_part *part = maskdm_need((size_t)t->zip.count, sizeof *part, "the entries of an archive");

    if (!part)
        return MASKDM_ENOMEM;
    t->s->part = part;
    for (int64_t i = 0; i < t->zip.count; i++) {
        const struct maskdm_zip_entry *e = &t->zip.entry[i];

        part[i].at = e->at;
        part[i].size = e->size;
        part[i].crc = e->crc;
        atomic_init(&part[i].good, e->checked || !e->crc);
    }
    return MASKDM_OK;
}

static int check_byteorder(struct maskdm_torch *t)
{
    const struct maskdm_zip_entry *e = find_part(t, "byteorder");
    char order[6];

    if (!e)
        return MASKDM_OK;
    if (e->size == sizeof order)
        MASKDM_TRY(maskdm_st_bytes_at(t->s, order, sizeof order, e->at));
    if (e->size != sizeof order || memcmp(order, "little", sizeof order))
        return maskdm_fail(MASKDM_EFORMAT, "its storages are not little endian; save it anew on such a machine");
    return MASKDM_OK;
}

static int read_pickle(struct maskdm_torch *t, const unsigned char *bytes, size_t size)
{
    int err = maskdm_pickle_open(&t->pickle, bytes, size);

    if (err)
        return maskdm_fail_prefix(err, "data.pkl");
    t->visit_limit = size < MOST_VISITS ? size : MOST_VISITS;
    t->text_limit = TEXT_SHARE * (uint64_t)size;
    err = maskdm_torch_walk(t);
    maskdm_pickle_close(&t->pickle);
    return err;
}

static int read_parts(struct maskdm_torch *t)
{
    const struct maskdm_zip_entry *e;
    unsigned char *bytes;
    int err;

    MASKDM_TRY(find_root(t));
    e = find_part(t, "data.pkl");
    if (!e)
        return maskdm_fail(MASKDM_EFORMAT,
                           "there is no entry \"%.160sdata.pkl\": a zip archive, but no PyTorch "
                           "checkpoint",
                           t->root);
    if (find_part(t, "constants.pkl"))
        return maskdm_fail(MASKDM_EFORMAT,
                           "a TorchScript archive, whose code is not read; write the module's state_dict() with "
                           "torch.save");
    if (e->size > MOST_PICKLE)
        return maskdm_fail(MASKDM_EFORMAT, "data.pkl has %llu bytes; at most %d are allowed",
                           (unsigned long long)e->size, MOST_PICKLE);
    MASKDM_TRY(check_byteorder(t));
    MASKDM_TRY(make_parts(t));
    bytes = maskdm_malloc(e->size ? (size_t)e->size : 1);
    if (!bytes)
        return maskdm_fail_memory((size_t)e->size, "the pickle of a checkpoint");
    err = maskdm_st_bytes_at(t->s, bytes, (size_t)e->size, e->at);
    if (!err)
        err = maskdm_zip_check(e, t->s, bytes);
    if (!err)
        err = read_pickle(t, bytes, (size_t)e->size);
    maskdm_free(bytes);
    return err ? err : maskdm_st_index(t->s);
}

static int read_checkpoint(struct maskdm_st *s)
{
    struct maskdm_torch *t = maskdm_need(1, sizeof *t, "reading a checkpoint");
    int err;

    if (!t)
        return MASKDM_ENOMEM;
    t->s = s;
    err = maskdm_st_parts_create(s);
    if (!err)
        err = maskdm_zip_open(&t->zip, s);
    if (!err) {
        err = read_parts(t);
        maskdm_zip_close(&t->zip);
    }
    maskdm_free(t);
    return err ? maskdm_fail_prefix(err, "%s", maskdm_st_label(s)) : MASKDM_OK;
}

static int read_any(struct maskdm_st *s)
{
    unsigned char head[sizeof zip_magic] = {0};
    const size_t n = s->size < sizeof head ? (size_t)s->size : sizeof head;

    MASKDM_TRY(maskdm_st_bytes_at(s, head, n, 0));
    return !memcmp(head, zip_magic, sizeof zip_magic) ? read_checkpoint(s) : maskdm_st_read_header(s);
}

int maskdm_tensors_open(struct maskdm_st *out, const char *path)
{
    return maskdm_st_open_as(out, path, read_any);
}

int maskdm_tensors_open_memory(struct maskdm_st *out, const void *bytes, size_t size)
{
    return maskdm_st_open_memory_as(out, bytes, size, read_any);
}
