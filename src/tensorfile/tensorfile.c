/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tensor file of whatever format: what its reader judges is a table, whole before a handle exists. Lookups after
 * that are binary searches; bytes come by positioned reads.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

const char *mdm_tensorfile_label(const struct mdm_tensorfile *s)
{
    return s->reader ? mdm_reader_path(s->reader) : "tensor file in memory";
}

void *mdm_tensorfile_grow(void *array, int64_t count, size_t size, const char *what)
{
    size_t bytes = (count < 8 ? 8 : 2 * (size_t)count) * size;
    void *p;

    if (count < 8 ? count : count & (count - 1))
        return array;
    p = mdm_realloc(array, bytes);
    if (!p)
        mdm_fail_memory(bytes, what);
    return p;
}

/* People give a run's folder for the model in it. */
static int refuse_folder(const char *path)
{
    enum mdm_file_kind kind = MDM_FILE_NONE, inside = MDM_FILE_NONE;
    char *model;

    if (!path || mdm_file_kind_of(&kind, path) < 0 || kind != MDM_FILE_FOLDER)
        return MASKDM_OK; /* opening says what is wrong */
    model = mdm_path_join(path, "model.safetensors");
    if (!model)
        return MASKDM_ENOMEM;
    (void)mdm_file_kind_of(&inside, model);
    if (inside == MDM_FILE_REGULAR)
        mdm_fail(MASKDM_EINVAL, "%s is a folder, not a file; the model in it is %s", path, model);
    else
        mdm_fail(MASKDM_EINVAL, "%s is a folder, not a file", path);
    mdm_free(model);
    return MASKDM_EINVAL;
}

int mdm_tensorfile_open_as(struct mdm_tensorfile *out, const char *path, int (*read)(struct mdm_tensorfile *s))
{
    int err;

    memset(out, 0, sizeof *out);
    MDM_TRY(refuse_folder(path));
    MDM_TRY(mdm_reader_open(&out->reader, path));
    out->size = mdm_reader_size(out->reader);
    err = read(out);
    if (err)
        mdm_tensorfile_close(out);
    return err;
}

int mdm_tensorfile_open_memory_as(struct mdm_tensorfile *out, const void *bytes, size_t size,
                                  int (*read)(struct mdm_tensorfile *s))
{
    int err;

    memset(out, 0, sizeof *out);
    out->memory = bytes;
    out->size = size;
    err = read(out);
    if (err)
        mdm_tensorfile_close(out);
    return err;
}

void mdm_tensorfile_close(struct mdm_tensorfile *s)
{
    for (int64_t i = 0; i < s->count; i++)
        mdm_free(s->tensor[i].name);
    for (int64_t i = 0; i < s->meta_count; i++) {
        mdm_free(s->meta[i].key);
        mdm_free(s->meta[i].value);
    }
    mdm_free(s->tensor);
    mdm_free(s->by_name);
    mdm_free(s->meta);
    for (int64_t i = 0; i < s->parts; i++)
        mdm_free(atomic_load(&s->part[i].bytes));
    mdm_free(s->part);
    mdm_free(s->crc);
    mdm_reader_close(&s->reader);
    memset(s, 0, sizeof *s);
}

int64_t mdm_tensorfile_find(const struct mdm_tensorfile *s, const char *name)
{
    int64_t low = 0, high = s->count;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int order = strcmp(name, s->tensor[s->by_name[middle]].name);
        if (order == 0)
            return s->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

const char *mdm_tensorfile_meta(const struct mdm_tensorfile *s, const char *key)
{
    for (int64_t i = 0; i < s->meta_count; i++)
        if (!strcmp(s->meta[i].key, key))
            return s->meta[i].value;
    return NULL;
}
