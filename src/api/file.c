/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensor files for hosts: arguments checked, then handed to tensorfile/tensorfile.h, which knows every format. */
#include <maskdm/file.h>

#include "api/argument.h"
#include "base/alloc.h"
#include "tensorfile/tensorfile.h"

struct maskdm_file {
    struct mdm_handle handle;
    struct mdm_tensorfile st;
};

/* Tensor i, or NULL. */
static const struct mdm_tensorfile_tensor *tensor_of(const maskdm_file *file, int64_t i)
{
    return i >= 0 && i < file->st.count ? &file->st.tensor[i] : NULL;
}

static int need_tensor(const struct mdm_tensorfile_tensor **out, const maskdm_file *file, int64_t i)
{
    *out = tensor_of(file, i);
    return *out ? MASKDM_OK
                : mdm_fail(MASKDM_EINVAL, "tensor %lld of a file that has %lld", (long long)i,
                           (long long)file->st.count);
}

static void destroy(void *object)
{
    maskdm_file *file = object;

    mdm_tensorfile_close(&file->st);
    mdm_free(file);
}

static const struct mdm_handle_kind kind = {"tensor file", destroy};

static int create(maskdm_file **out)
{
    *out = mdm_need(1, sizeof **out, "a tensor file");
    if (!*out)
        return MASKDM_ENOMEM;
    mdm_handle_init(&(*out)->handle, &kind);
    return MASKDM_OK;
}

static int finish(maskdm_file **out, int err)
{
    if (!err)
        return MASKDM_OK;
    mdm_free(*out);
    *out = NULL;
    return err;
}

int maskdm_file_open(maskdm_file **out, const char *path)
{
    MDM_NEED_OUT(out);
    MDM_NEED(path);
    MDM_TRY(create(out));
    return finish(out, mdm_tensorfile_open(&(*out)->st, path));
}

int maskdm_file_open_memory(maskdm_file **out, const void *bytes, size_t size)
{
    MDM_NEED_OUT(out);
    MDM_NEED_ARRAY(bytes, size);
    MDM_TRY(create(out));
    return finish(out, mdm_tensorfile_open_memory(&(*out)->st, bytes, size));
}

void maskdm_file_release(maskdm_file **file)
{
    maskdm_file *f = file ? *file : NULL;

    if (!f)
        return;
    *file = NULL;
    mdm_handle_drop(&f->handle);
}

int64_t maskdm_file_count(const maskdm_file *file)
{
    MDM_NEED(file);
    return file->st.count;
}

int64_t maskdm_file_find(const maskdm_file *file, const char *name)
{
    int64_t i;

    MDM_NEED(file);
    MDM_NEED(name);
    i = mdm_tensorfile_find(&file->st, name);
    return i < 0 ? MASKDM_ENOTFOUND : i;
}

const char *maskdm_file_name(const maskdm_file *file, int64_t i)
{
    const struct mdm_tensorfile_tensor *t;

    MDM_NEED_OR(file, NULL);
    t = tensor_of(file, i);
    return t ? t->name : NULL;
}

const char *maskdm_file_dtype(const maskdm_file *file, int64_t i)
{
    const struct mdm_tensorfile_tensor *t;

    MDM_NEED_OR(file, NULL);
    t = tensor_of(file, i);
    return t ? t->dtype : NULL;
}

int maskdm_file_shape(const maskdm_file *file, int64_t i, int64_t *shape, int capacity)
{
    const struct mdm_tensorfile_tensor *t;

    MDM_NEED(file);
    MDM_NEED_ARRAY(shape, capacity);
    MDM_TRY(need_tensor(&t, file, i));
    for (int d = 0; d < t->rank && d < capacity; d++)
        shape[d] = t->shape[d];
    return t->rank;
}

int64_t maskdm_file_elements(const maskdm_file *file, int64_t i)
{
    const struct mdm_tensorfile_tensor *t;

    MDM_NEED(file);
    MDM_TRY(need_tensor(&t, file, i));
    return t->elements;
}

int64_t maskdm_file_bytes(const maskdm_file *file, int64_t i)
{
    const struct mdm_tensorfile_tensor *t;

    MDM_NEED(file);
    MDM_TRY(need_tensor(&t, file, i));
    return (int64_t)(t->end - t->begin);
}

int64_t maskdm_file_metadata_count(const maskdm_file *file)
{
    MDM_NEED(file);
    return file->st.meta_count;
}

const char *maskdm_file_metadata_key(const maskdm_file *file, int64_t i)
{
    MDM_NEED_OR(file, NULL);
    return i >= 0 && i < file->st.meta_count ? file->st.meta[i].key : NULL;
}

const char *maskdm_file_metadata_value(const maskdm_file *file, int64_t i)
{
    MDM_NEED_OR(file, NULL);
    return i >= 0 && i < file->st.meta_count ? file->st.meta[i].value : NULL;
}

const char *maskdm_file_metadata(const maskdm_file *file, const char *key)
{
    MDM_NEED_OR(file, NULL);
    MDM_NEED_OR(key, NULL);
    return mdm_tensorfile_meta(&file->st, key);
}

/* An empty tensor needs no memory. */
static int check_read(const char *function, const maskdm_file *file, int64_t i, const void *out)
{
    const struct mdm_tensorfile_tensor *t;

    if (!file)
        return mdm_argument_null(function, "file");
    MDM_TRY(need_tensor(&t, file, i));
    return out || !t->elements ? MASKDM_OK : mdm_argument_null(function, "out");
}

int maskdm_file_read_f32(maskdm_file *file, int64_t i, float *out, int64_t count)
{
    struct mdm_work work = {0};

    MDM_TRY(check_read(__func__, file, i, out));
    MDM_TRY(mdm_work_alone(&work, &file->handle));
    return mdm_work_end(&work, mdm_tensorfile_read_f32(&file->st, i, out, count));
}

int maskdm_file_read_f64(maskdm_file *file, int64_t i, double *out, int64_t count)
{
    struct mdm_work work = {0};

    MDM_TRY(check_read(__func__, file, i, out));
    MDM_TRY(mdm_work_alone(&work, &file->handle));
    return mdm_work_end(&work, mdm_tensorfile_read_f64(&file->st, i, out, count));
}

int maskdm_file_read_i64(maskdm_file *file, int64_t i, int64_t *out, int64_t count)
{
    struct mdm_work work = {0};

    MDM_TRY(check_read(__func__, file, i, out));
    MDM_TRY(mdm_work_alone(&work, &file->handle));
    return mdm_work_end(&work, mdm_tensorfile_read_i64(&file->st, i, out, count));
}

int maskdm_file_read_raw(maskdm_file *file, int64_t i, void *out, size_t size)
{
    struct mdm_work work = {0};

    MDM_TRY(check_read(__func__, file, i, out));
    MDM_TRY(mdm_work_alone(&work, &file->handle));
    return mdm_work_end(&work, mdm_tensorfile_read(&file->st, i, out, size));
}
