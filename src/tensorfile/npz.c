/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From NumPy's archive to a table of tensors: index, then the head of every array. Deflated entries have their place
 * behind the end of the file, one after the other, and are unpacked when they are first read.
 */
#include "tensorfile/npz.h"

#include "tensorfile/torch.h"
#include "tensorfile/zip.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"

#include <string.h>

enum { LOCAL = 30, ENDING = 4 };

static int is_array(const char *name, size_t n)
{
    return n > ENDING && memcmp(name + n - ENDING, ".npy", ENDING) == 0;
}

/* Entry i becomes part i; *next is where the next deflated one gets its place. */
static int make_part(struct mdm_tensorfile *s, int64_t i, const struct mdm_zip_entry *e, uint64_t *next)
{
    struct mdm_tensorfile_part *p = &s->part[i];

    p->at = e->at;
    p->size = e->size;
    p->crc = e->crc;
    atomic_init(&p->good, e->checked || !e->crc);
    atomic_init(&p->bytes, NULL);
    if (!e->deflated)
        return MASKDM_OK;
    p->packed_at = e->at;
    p->packed = e->packed;
    p->at = *next;
    if (mdm_add_u64(next, *next, e->size) || *next > INT64_MAX)
        return mdm_fail(MASKDM_EFORMAT, "its entries unpack to more than %lld bytes", (long long)INT64_MAX);
    return MASKDM_OK;
}

static int read_array(struct mdm_tensorfile *s, int64_t i, const struct mdm_zip_entry *e)
{
    unsigned char head[MDM_NPY_HEAD];
    const size_t n = e->size < sizeof head ? (size_t)e->size : sizeof head, name = strlen(e->name);
    struct mdm_tensorfile_tensor *t = &s->tensor[i];

    if (!is_array(e->name, name))
        return mdm_fail(MASKDM_EFORMAT, "entry " MDM_TENSORFILE_SHOWN " is no array in an archive of arrays",
                        e->name);
    t->name = mdm_strndup(e->name, name - ENDING);
    if (!t->name)
        return mdm_fail_memory(name, "a tensor name");
    if (e->deflated)
        MDM_TRY(mdm_tensorfile_inflate(s, e->at, e->packed, head, n));
    else
        MDM_TRY(mdm_tensorfile_bytes_at(s, head, n, e->at));
    t->part = 1 + i;
    return mdm_npy_head(t, head, n, e->size, s->part[i].at);
}

static int read_entries(struct mdm_tensorfile *s, const struct mdm_zip *z)
{
    uint64_t next = s->size;

    if (z->count > MDM_TENSORFILE_TENSORS)
        return mdm_fail(MASKDM_EFORMAT, "%lld arrays; at most %d are read", (long long)z->count,
                        MDM_TENSORFILE_TENSORS);
    s->tensor = mdm_need((size_t)z->count, sizeof *s->tensor, "the table of tensors");
    s->part = mdm_need((size_t)z->count, sizeof *s->part, "the entries of an archive");
    if (!s->tensor || !s->part)
        return MASKDM_ENOMEM;
    s->parts = z->count;
    for (int64_t i = 0; i < z->count; i++)
        MDM_TRY(make_part(s, i, &z->entry[i], &next));
    for (int64_t i = 0; i < z->count; i++) {
        s->count = i + 1;
        MDM_TRY(read_array(s, i, &z->entry[i]));
    }
    return mdm_tensorfile_index(s);
}

static int read_npz(struct mdm_tensorfile *s)
{
    struct mdm_zip z;
    int status = mdm_tensorfile_parts_create(s);

    if (status >= 0)
        status = mdm_zip_open(&z, s, MDM_ZIP_DEFLATED);
    if (status >= 0) {
        status = read_entries(s, &z);
        mdm_zip_close(&z);
    }
    return status < 0 ? mdm_fail_prefix(status, "%s, a NumPy archive", mdm_tensorfile_label(s)) : MASKDM_OK;
}

int mdm_archive_read(struct mdm_tensorfile *s)
{
    unsigned char b[LOCAL];
    char ending[ENDING + 1];
    size_t name;

    if (s->size < sizeof b)
        return mdm_torch_read(s);
    MDM_TRY(mdm_tensorfile_bytes_at(s, b, sizeof b, 0));
    name = (size_t)mdm_load_le(b + 26, 2);
    if (name < sizeof ending || s->size - sizeof b < name)
        return mdm_torch_read(s);
    MDM_TRY(mdm_tensorfile_bytes_at(s, ending, sizeof ending, sizeof b + name - sizeof ending));
    return is_array(ending, sizeof ending) ? read_npz(s) : mdm_torch_read(s);
}

int mdm_npy_read(struct mdm_tensorfile *s)
{
    unsigned char head[MDM_NPY_HEAD];
    const size_t n = s->size < sizeof head ? (size_t)s->size : sizeof head;
    int status;

    s->tensor = mdm_need(1, sizeof *s->tensor, "the table of tensors");
    if (!s->tensor)
        return MASKDM_ENOMEM;
    s->count = 1;
    s->tensor->name = mdm_strdup("arr_0");
    if (!s->tensor->name)
        return mdm_fail_memory(6, "a tensor name");
    MDM_TRY(mdm_tensorfile_bytes_at(s, head, n, 0));
    status = mdm_npy_head(s->tensor, head, n, s->size, 0);
    return status < 0 ? mdm_fail_prefix(status, "%s, a NumPy array", mdm_tensorfile_label(s))
                      : mdm_tensorfile_index(s);
}
