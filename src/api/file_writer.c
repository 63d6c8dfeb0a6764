/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing tensor files for hosts: arguments checked, then handed to tensorfile/safetensors. */
#include <maskdm/file.h>

#include "api/argument.h"
#include "base/alloc.h"
#include "tensorfile/safetensors.h"

struct maskdm_file_writer {
    struct mdm_handle handle;
    struct mdm_safetensors_writer *st;
};

static void destroy(void *object)
{
    maskdm_file_writer *writer = object;

    mdm_safetensors_writer_release(&writer->st);
    mdm_free(writer);
}

static const struct mdm_handle_kind kind = {"file writer", destroy};

int maskdm_file_writer_create(maskdm_file_writer **out)
{
    int err;

    MDM_NEED_OUT(out);
    *out = mdm_need(1, sizeof **out, "a tensor file writer");
    if (!*out)
        return MASKDM_ENOMEM;
    mdm_handle_init(&(*out)->handle, &kind);
    err = mdm_safetensors_writer_create(&(*out)->st);
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
    mdm_handle_drop(&w->handle);
}

int maskdm_file_writer_metadata(maskdm_file_writer *writer, const char *key, const char *value)
{
    struct mdm_work work = {0};

    MDM_NEED(writer);
    MDM_NEED(key);
    MDM_NEED(value);
    MDM_TRY(mdm_work_alone(&work, &writer->handle));
    return mdm_work_end(&work, mdm_safetensors_writer_meta(writer->st, key, value));
}

static int is_empty(const int64_t *shape, int rank)
{
    for (int d = 0; d < rank && d < MDM_TENSORFILE_RANK; d++)
        if (shape[d] == 0)
            return 1;
    return 0;
}

int maskdm_file_writer_add(maskdm_file_writer *writer, const char *name, const char *dtype, const int64_t *shape,
                           int rank, const void *elements)
{
    struct mdm_work work = {0};

    MDM_NEED(writer);
    MDM_NEED(name);
    MDM_NEED(dtype);
    MDM_NEED_ARRAY(shape, rank);
    MDM_NEED_ARRAY(elements, !is_empty(shape, rank));
    MDM_TRY(mdm_work_alone(&work, &writer->handle));
    return mdm_work_end(&work, mdm_safetensors_writer_add(writer->st, name, dtype, shape, rank, elements));
}

int maskdm_file_writer_save(maskdm_file_writer *writer, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED(writer);
    MDM_NEED(path);
    MDM_TRY(mdm_work_alone(&work, &writer->handle));
    return mdm_work_end(&work, mdm_safetensors_writer_save(writer->st, path, 0));
}

int maskdm_file_writer_save_to(maskdm_file_writer *writer, maskdm_write_callback write, void *user)
{
    struct mdm_work work = {0};

    MDM_NEED(writer);
    MDM_NEED(write);
    MDM_TRY(mdm_work_alone(&work, &writer->handle));
    return mdm_work_end(&work, mdm_safetensors_writer_save_to(writer->st, write, user));
}
