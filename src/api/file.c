/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensor files for hosts: arguments checked, then handed to io/torch.h, which knows every format. */
#include <maskdm/file.h>

#include "io/torch.h"
#include "util/alloc.h"
#include "util/error.h"

struct maskdm_file {
    struct maskdm_st st;
};

/* Tensor i, or NULL. */
static const struct maskdm_st_tensor *tensor_of(const maskdm_file *file, int64_t i)
{
    return file && i >= 0 && i < file->st.count ? &file->st.tensor[i] : NULL;
}

static int create(maskdm_file **out)
{
    *out = maskdm_need(1, sizeof **out, "a tensor file");
    return *out ? MASKDM_OK : MASKDM_ENOMEM;
}

static int finish(maskdm_file **out, int err)
{
    if (!err)
        return MASKDM_OK;
    maskdm_free(*out);
    *out = NULL;
    return err;
}

int maskdm_file_open(maskdm_file **out, const char *path)
{
    if (!out)
        return maskdm_fail(MASKDM_EINVAL, "out is NULL");
    *out = NULL;
    if (!path)
        return maskdm_fail(MASKDM_EINVAL, "the path of a tensor file is NULL");
    MASKDM_TRY(create(out));
    return finish(out, maskdm_tensors_open(&(*out)->st, path));
}

int maskdm_file_open_memory(maskdm_file **out, const void *bytes, size_t size)
{
    if (!out)
        return maskdm_fail(MASKDM_EINVAL, "out is NULL");
    *out = NULL;
    if (!bytes && size)
        return maskdm_fail(MASKDM_EINVAL, "the bytes of a tensor file are NULL");
    MASKDM_TRY(create(out));
    return finish(out, maskdm_tensors_open_memory(&(*out)->st, bytes, size));
}

void maskdm_file_release(maskdm_file **file)
{
    if (!file || !*file)
        return;
    maskdm_st_close(&(*file)->st);
    maskdm_free(*file);
    *file = NULL;
}

int64_t maskdm_file_count(const maskdm_file *file)
{
    return file ? file->st.count : 0;
}

int64_t maskdm_file_find(const maskdm_file *file, const char *name)
{
    int64_t i = file && name ? maskdm_st_find(&file->st, name) : -1;

    return i < 0 ? MASKDM_ENOTFOUND : i;
}

const char *maskdm_file_name(const maskdm_file *file, int64_t i)
{
    const struct maskdm_st_tensor *t = tensor_of(file, i);

    return t ? t->name : NULL;
}

const char *maskdm_file_dtype(const maskdm_file *file, int64_t i)
{
    const struct maskdm_st_tensor *t = tensor_of(file, i);

    return t ? t->dtype : NULL;
}

int maskdm_file_shape(const maskdm_file *file, int64_t i, int64_t *shape, int capacity)
{
    const struct maskdm_st_tensor *t = tensor_of(file, i);

    if (!t)
        return MASKDM_EINVAL;
    for (int d = 0; shape && d < t->rank && d < capacity; d++)
        shape[d] = t->shape[d];
    return t->rank;
}

int64_t maskdm_file_elements(const maskdm_file *file, int64_t i)
{
    const struct maskdm_st_tensor *t = tensor_of(file, i);

    return t ? t->elements : 0;
}

size_t maskdm_file_bytes(const maskdm_file *file, int64_t i)
{
    const struct maskdm_st_tensor *t = tensor_of(file, i);

    return t ? (size_t)(t->end - t->begin) : 0;
}

int64_t maskdm_file_metadata_count(const maskdm_file *file)
{
    return file ? file->st.meta_count : 0;
}

const char *maskdm_file_metadata_key(const maskdm_file *file, int64_t i)
{
    return i >= 0 && i < maskdm_file_metadata_count(file) ? file->st.meta[i].key : NULL;
}

const char *maskdm_file_metadata_value(const maskdm_file *file, int64_t i)
{
    return i >= 0 && i < maskdm_file_metadata_count(file) ? file->st.meta[i].value : NULL;
}

const char *maskdm_file_metadata(const maskdm_file *file, const char *key)
{
    return file && key ? maskdm_st_meta(&file->st, key) : NULL;
}

static int check_read(const maskdm_file *file, int64_t i, const void *out)
{
    const struct maskdm_st_tensor *t = tensor_of(file, i);

    if (!t)
        return maskdm_fail(MASKDM_EINVAL, "tensor %lld of a file that has %lld", (long long)i,
                           (long long)maskdm_file_count(file));
    if (!out && t->elements)
        return maskdm_fail(MASKDM_EINVAL, "nowhere to put tensor \"%.160s\": out is NULL", t->name);
    return MASKDM_OK;
}

int maskdm_file_read_f32(maskdm_file *file, int64_t i, float *out, int64_t count)
{
    MASKDM_TRY(check_read(file, i, out));
    return maskdm_st_read_f32(&file->st, i, out, count);
}

int maskdm_file_read_f64(maskdm_file *file, int64_t i, double *out, int64_t count)
{
    MASKDM_TRY(check_read(file, i, out));
    return maskdm_st_read_f64(&file->st, i, out, count);
}

int maskdm_file_read_i64(maskdm_file *file, int64_t i, int64_t *out, int64_t count)
{
    MASKDM_TRY(check_read(file, i, out));
    return maskdm_st_read_i64(&file->st, i, out, count);
}

int maskdm_file_read_raw(maskdm_file *file, int64_t i, void *out, size_t bytes)
{
    MASKDM_TRY(check_read(file, i, out));
    return maskdm_st_read(&file->st, i, out, bytes);
}
