/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checkpoints out: data.pkl, the version of the form, and an entry for each storage, all in one folder of the
 * archive.
 */
#include "tensorfile/torch_save.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "base/endian.h"
#include "base/error.h"
#include "tensorfile/tensorfile_private.h"
#include "tensorfile/zip_write.h"

#include <string.h>

enum { BUFFER = 1 << 18, KEY = 24 };

/* "Float" of torch.FloatStorage. */
static const char *storage_type(const char *dtype)
{
    static const char *const types[][2] = {{"F32", "Float"},  {"F16", "Half"}, {"BF16", "BFloat16"},
                                           {"F64", "Double"}, {"I64", "Long"}, {"BOOL", "Bool"}};

    for (size_t i = 0; i < MDM_LENGTH(types); i++)
        if (!strcmp(types[i][0], dtype))
            return types[i][1];
    return NULL;
}

int mdm_torch_writer_create(struct mdm_torch_writer **out)
{
    *out = mdm_need(1, sizeof **out, "a checkpoint writer");
    if (!*out)
        return MASKDM_ENOMEM;
    mdm_pickle_begin(&(*out)->pickle);
    return MASKDM_OK;
}

void mdm_torch_writer_release(struct mdm_torch_writer **w)
{
    if (!*w)
        return;
    mdm_text_free(&(*w)->pickle);
    mdm_free((*w)->storage);
    mdm_free(*w);
    *w = NULL;
}

int mdm_torch_writer_again(struct mdm_torch_writer *w, const char *key, const char *dtype, const int64_t *shape,
                           int rank, int64_t storage)
{
    const struct mdm_torch_storage *s = &w->storage[storage];
    char number[KEY];

    mdm_format(number, sizeof number, "%lld", (long long)storage);
    mdm_pickle_text(&w->pickle, key);
    mdm_pickle_tensor(&w->pickle, storage_type(dtype), number, (int64_t)(s->size / (uint64_t)s->element), shape,
                      rank);
    return mdm_text_ok(&w->pickle);
}

int mdm_torch_writer_add(struct mdm_torch_writer *w, const char *key, const char *dtype, const int64_t *shape,
                         int rank, const void *data, const struct mdm_tensorfile_source *source, int64_t *storage)
{
    const struct mdm_tensorfile_dtype *type = mdm_tensorfile_dtype_find(dtype);
    struct mdm_tensorfile_tensor t = {.rank = rank};
    struct mdm_torch_storage *grown;
    uint64_t bytes;

    if (!type || !storage_type(dtype) || rank < 0 || rank > MDM_TENSORFILE_RANK)
        return mdm_fail(MASKDM_EINVAL, "tensor " MDM_TENSORFILE_SHOWN ": no checkpoint has %d dimensions of %.20s",
                        key, rank, dtype);
    for (int i = 0; i < rank; i++)
        t.shape[i] = shape[i];
    if (mdm_tensorfile_measure(&t, type, &bytes))
        return mdm_fail(MASKDM_EINVAL, "tensor " MDM_TENSORFILE_SHOWN " is too large for any file", key);
    grown = mdm_tensorfile_grow(w->storage, w->count, sizeof *grown, "the storages of a checkpoint");
    if (!grown)
        return MASKDM_ENOMEM;
    w->storage = grown;
    grown[w->count] =
        (struct mdm_torch_storage){.data = data, .source = source, .size = bytes, .element = type->size};
    if (storage)
        *storage = w->count;
    return mdm_torch_writer_again(w, key, dtype, shape, rank, w->count++);
}

/* ---- saving ---- */

typedef int (*take_bytes)(void *user, const void *bytes, size_t n);

static int each_piece(const struct mdm_torch_storage *s, unsigned char *buffer, take_bytes take, void *user)
{
    const unsigned char *from = s->data;

    for (uint64_t left = s->size, n; left; left -= n, from += n) {
        n = left < BUFFER ? left : BUFFER;
        if (s->source)
            MDM_TRY(s->source->read(s->source->user, buffer, from, (size_t)n));
        else
            memcpy(buffer, from, (size_t)n);
        mdm_swap_le(buffer, s->element, (size_t)n / (size_t)s->element);
        MDM_TRY(take(user, buffer, (size_t)n));
    }
    return MASKDM_OK;
}

struct saving {
    struct mdm_zip_writer zip;
    struct mdm_crc32 table;
    uint32_t crc;
    unsigned char *buffer;
};

static int take_crc(void *user, const void *bytes, size_t n)
{
    struct saving *s = user;

    s->crc = mdm_crc32_add(&s->table, s->crc, bytes, n);
    return MASKDM_OK;
}

static int take_put(void *user, const void *bytes, size_t n)
{
    struct saving *s = user;

    return mdm_zip_put(&s->zip, bytes, n);
}

static int put_entry(struct saving *s, const char *name, const void *bytes, size_t n)
{
    MDM_TRY(mdm_zip_begin(&s->zip, name, n, mdm_crc32_add(&s->table, 0, bytes, n)));
    return mdm_zip_put(&s->zip, bytes, n);
}

/* Read twice: an entry's checksum stands before its bytes. */
static int put_storage(struct saving *s, const struct mdm_torch_storage *storage, int64_t i)
{
    char name[KEY + 16];

    s->crc = 0;
    MDM_TRY(each_piece(storage, s->buffer, take_crc, s));
    mdm_format(name, sizeof name, "archive/data/%lld", (long long)i);
    MDM_TRY(mdm_zip_begin(&s->zip, name, storage->size, s->crc));
    return each_piece(storage, s->buffer, take_put, s);
}

static int put_all(struct saving *s, const struct mdm_torch_writer *w)
{
    MDM_TRY(put_entry(s, "archive/data.pkl", w->pickle.data, w->pickle.length));
    MDM_TRY(put_entry(s, "archive/byteorder", "little", 6));
    for (int64_t i = 0; i < w->count; i++)
        MDM_TRY(put_storage(s, &w->storage[i], i));
    MDM_TRY(put_entry(s, "archive/version", "3\n", 2));
    return mdm_zip_finish(&s->zip);
}

int mdm_torch_writer_save(struct mdm_torch_writer *w, struct mdm_writer **file)
{
    struct saving *s = mdm_need(1, sizeof *s, "writing a checkpoint");
    int status = s ? MASKDM_OK : MASKDM_ENOMEM;

    mdm_pickle_end(&w->pickle);
    if (status == MASKDM_OK)
        status = mdm_text_ok(&w->pickle);
    if (status == MASKDM_OK)
        status = (s->buffer = mdm_need_aligned(BUFFER, "writing a checkpoint")) ? MASKDM_OK : MASKDM_ENOMEM;
    if (status == MASKDM_OK) {
        s->zip.file = *file;
        mdm_crc32_prepare(&s->table);
        status = put_all(s, w);
    }
    if (s) {
        mdm_zip_drop(&s->zip);
        mdm_free(s->buffer);
        mdm_free(s);
    }
    if (status == MASKDM_OK)
        return mdm_writer_commit(file);
    mdm_writer_abandon(file);
    return status;
}
