/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing tensor files for hosts: arguments checked, then handed to io/safetensors. */
#include <maskdm/file.h>

#include "io/safetensors.h"
#include "util/alloc.h"
#include "util/error.h"

struct maskdm_file_writer {
    struct maskdm_st_writer *st;
};

int maskdm_file_writer_create(maskdm_file_writer **out)
{
    int err;

    if (!out)
        return maskdm_fail(MASKDM_EINVAL, "out is NULL");
    *out = maskdm_need(1, sizeof **out, "a tensor file writer");
    if (!*out)
        return MASKDM_ENOMEM;
    err = maskdm_st_writer_create(&(*out)->st);
    if (err)
        maskdm_file_writer_release(out);
    return err;
}

void maskdm_file_writer_release(maskdm_file_writer **writer)
{
    if (!writer || !*writer)
        return;
    maskdm_st_writer_release(&(*writer)->st);
    maskdm_free(*writer);
    *writer = NULL;
}

int maskdm_file_writer_metadata(maskdm_file_writer *writer, const char *key, const char *value)
{
    if (!writer || !key || !value)
        return maskdm_fail(MASKDM_EINVAL, "%s is NULL", !writer ? "writer" : !key ? "key" : "value");
    return maskdm_st_writer_meta(writer->st, key, value);
}

int maskdm_file_writer_add(maskdm_file_writer *writer, const char *name, const char *dtype, const int64_t *shape,
                           int rank, const void *data)
{
    if (!writer || !name || !dtype)
        return maskdm_fail(MASKDM_EINVAL, "%s is NULL", !writer ? "writer" : !name ? "name" : "dtype");
    if (!shape && rank)
        return maskdm_fail(MASKDM_EINVAL, "the shape of \"%.160s\" is NULL", name);
    return maskdm_st_writer_add(writer->st, name, dtype, shape, rank, data);
}

int maskdm_file_writer_save(maskdm_file_writer *writer, const char *path)
{
    if (!writer || !path)
        return maskdm_fail(MASKDM_EINVAL, "%s is NULL", !writer ? "writer" : "path");
    return maskdm_st_writer_save(writer->st, path, 0);
}
