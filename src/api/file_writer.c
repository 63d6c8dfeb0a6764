/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing tensor files for hosts: arguments checked, then handed to io/safetensors. */
#include <maskdm/file.h>

#include "api/argument.h"
#include "io/safetensors.h"
#include "util/alloc.h"

struct maskdm_file_writer {
    struct maskdm_handle handle;
    struct maskdm_st_writer *st;
};

static void destroy(void *object)
{
    maskdm_file_writer *writer = object;

    maskdm_st_writer_release(&writer->st);
    maskdm_free(writer);
}

static const struct maskdm_handle_kind kind = {"file writer", destroy};

int maskdm_file_writer_create(maskdm_file_writer **out)
{
    int err;

    MASKDM_NEED_OUT(out);
    *out = maskdm_need(1, sizeof **out, "a tensor file writer");
    if (!*out)
        return MASKDM_ENOMEM;
    maskdm_handle_init(&(*out)->handle, &kind);
    err = maskdm_st_writer_create(&(*out)->st);
    if (err)
        maskdm_file_writer_release(out);
    return err;
}

void maskdm_file_writer_release(maskdm_file_writer **writer)
{
    maskdm_file_writer *w = writer ? *writer : NULL;

    if (!w)
        return;
    *writer = NULL;
    maskdm_handle_drop(&w->handle);
}

int maskdm_file_writer_metadata(maskdm_file_writer *writer, const char *key, const char *value)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(writer);
    MASKDM_NEED(key);
    MASKDM_NEED(value);
    MASKDM_TRY(maskdm_work_alone(&work, &writer->handle));
    return maskdm_work_end(&work, maskdm_st_writer_meta(writer->st, key, value));
}

static int is_empty(const int64_t *shape, int rank)
{
    for (int d = 0; d < rank && d < MASKDM_ST_RANK; d++)
        if (shape[d] == 0)
            return 1;
    return 0;
}

int maskdm_file_writer_add(maskdm_file_writer *writer, const char *name, const char *dtype, const int64_t *shape,
                           int rank, const void *data)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(writer);
    MASKDM_NEED(name);
    MASKDM_NEED(dtype);
    MASKDM_NEED_ARRAY(shape, rank);
    MASKDM_NEED_ARRAY(data, !is_empty(shape, rank));
    MASKDM_TRY(maskdm_work_alone(&work, &writer->handle));
    return maskdm_work_end(&work, maskdm_st_writer_add(writer->st, name, dtype, shape, rank, data));
}

int maskdm_file_writer_save(maskdm_file_writer *writer, const char *path)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(writer);
    MASKDM_NEED(path);
    MASKDM_TRY(maskdm_work_alone(&work, &writer->handle));
    return maskdm_work_end(&work, maskdm_st_writer_save(writer->st, path, 0));
}
