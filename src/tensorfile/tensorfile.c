/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening a tensor file: the whole header is judged before a handle exists, and memory is taken only for what
 * the file holds. Lookups after that are binary searches; bytes come by positioned reads.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"

#include <string.h>

const char *mdm_tensorfile_label(const struct mdm_tensorfile *s)
{
    return s->reader ? mdm_reader_path(s->reader) : "tensor file in memory";
}

int mdm_tensorfile_bytes_at(struct mdm_tensorfile *s, void *out, size_t bytes, uint64_t offset)
{
    if (!bytes)
        return MASKDM_OK;
    if (s->reader)
        return mdm_reader_read_at(s->reader, out, bytes, offset);
    memcpy(out, s->memory + offset, bytes);
    return MASKDM_OK;
}

/* Whether the file begins as every tensor file of some use does: a length and "{". */
static int looks_right(struct mdm_tensorfile *s, uint64_t *length, int *status)
{
    unsigned char bytes[MDM_SAFETENSORS_LENGTH + 1] = {0};
    const size_t n = s->size < sizeof bytes ? (size_t)s->size : sizeof bytes;

    *status = mdm_tensorfile_bytes_at(s, bytes, n, 0);
    *length = mdm_load_le(bytes, MDM_SAFETENSORS_LENGTH);
    return *status == MASKDM_OK && bytes[MDM_SAFETENSORS_LENGTH] == '{' && *length <= MDM_SAFETENSORS_HEADER;
}

/* The header's place: MDM_SAFETENSORS_LENGTH, its length, and the rest of the file is data. */
static int measure_header(struct mdm_tensorfile *s)
{
    uint64_t n;
    int status;

    if (!looks_right(s, &n, &status)) {
        MDM_TRY(status);
        MDM_TRY(mdm_foreign_refuse(s));
    }
    if (s->size < MDM_SAFETENSORS_LENGTH)
        return mdm_fail(MASKDM_EFORMAT, "%s: a tensor file has at least %d bytes, this one %llu",
                        mdm_tensorfile_label(s), MDM_SAFETENSORS_LENGTH, (unsigned long long)s->size);
    if (n > s->size - MDM_SAFETENSORS_LENGTH)
        return mdm_fail(MASKDM_EFORMAT, "%s: the header is said to have %llu bytes, but only %llu follow",
                        mdm_tensorfile_label(s), (unsigned long long)n,
                        (unsigned long long)(s->size - MDM_SAFETENSORS_LENGTH));
    if (n > MDM_SAFETENSORS_HEADER)
        return mdm_fail(MASKDM_EFORMAT, "%s: the header has %llu bytes; at most %d are allowed",
                        mdm_tensorfile_label(s), (unsigned long long)n, MDM_SAFETENSORS_HEADER);
    s->data_at = MDM_SAFETENSORS_LENGTH + n;
    return MASKDM_OK;
}

/* `head`: the length and the header, `total` bytes from the start of the file. */
static int judge(struct mdm_tensorfile *s, const char *head, size_t total)
{
    int err = mdm_safetensors_parse(s, head + MDM_SAFETENSORS_LENGTH, total - MDM_SAFETENSORS_LENGTH);

    if (!err)
        err = mdm_safetensors_check(s, s->size - s->data_at);
    if (err)
        return mdm_fail_prefix(err, "%s", mdm_tensorfile_label(s));
    mdm_safetensors_digest_head(s, head, total);
    return MASKDM_OK;
}

int mdm_safetensors_read(struct mdm_tensorfile *s)
{
    char *head;
    size_t total;
    int err;

    MDM_TRY(measure_header(s));
    total = (size_t)s->data_at;
    if (!s->reader)
        return judge(s, (const char *)s->memory, total);
    head = mdm_malloc(total);
    if (!head)
        return mdm_fail_memory(total, "the header of a tensor file");
    err = mdm_tensorfile_bytes_at(s, head, total, 0);
    if (!err)
        err = judge(s, head, total);
    mdm_free(head);
    return err;
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

int mdm_safetensors_open(struct mdm_tensorfile *out, const char *path)
{
    return mdm_tensorfile_open_as(out, path, mdm_safetensors_read);
}

int mdm_safetensors_open_memory(struct mdm_tensorfile *out, const void *bytes, size_t size)
{
    return mdm_tensorfile_open_memory_as(out, bytes, size, mdm_safetensors_read);
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
