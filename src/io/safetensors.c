/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening a tensor file: the whole header is judged before a handle exists, and memory is taken only for what
 * the file holds. Lookups after that are binary searches; bytes come by positioned reads.
 */
#include "io/safetensors_private.h"

#include "util/alloc.h"
#include "util/endian.h"
#include "util/error.h"

#include <string.h>

const char *maskdm_st_label(const struct maskdm_st *s)
{
    return s->reader ? maskdm_reader_path(s->reader) : "tensor file in memory";
}

int maskdm_st_bytes_at(struct maskdm_st *s, void *out, size_t bytes, uint64_t offset)
{
    if (!bytes)
        return MASKDM_OK;
    if (s->reader)
        return maskdm_reader_read_at(s->reader, out, bytes, offset);
    memcpy(out, s->memory + offset, bytes);
    return MASKDM_OK;
}

/* Whether the file begins as every tensor file of some use does: a length and "{". */
static int looks_right(struct maskdm_st *s, uint64_t *length, int *status)
{
    unsigned char bytes[MASKDM_ST_LENGTH + 1] = {0};
    const size_t n = s->size < sizeof bytes ? (size_t)s->size : sizeof bytes;

    *status = maskdm_st_bytes_at(s, bytes, n, 0);
    *length = maskdm_load_le(bytes, MASKDM_ST_LENGTH);
    return *status == MASKDM_OK && bytes[MASKDM_ST_LENGTH] == '{' && *length <= MASKDM_ST_HEADER;
}

/* The header's place: MASKDM_ST_LENGTH, its length, and the rest of the file is data. */
static int measure_header(struct maskdm_st *s)
{
    uint64_t n;
    int status;

    if (!looks_right(s, &n, &status)) {
        MASKDM_TRY(status);
        MASKDM_TRY(maskdm_st_refuse_foreign(s));
    }
    if (s->size < MASKDM_ST_LENGTH)
        return maskdm_fail(MASKDM_EFORMAT, "%s: a tensor file has at least %d bytes, this one %llu",
                           maskdm_st_label(s), MASKDM_ST_LENGTH, (unsigned long long)s->size);
    if (n > s->size - MASKDM_ST_LENGTH)
        return maskdm_fail(MASKDM_EFORMAT, "%s: the header is said to have %llu bytes, but only %llu follow",
                           maskdm_st_label(s), (unsigned long long)n,
                           (unsigned long long)(s->size - MASKDM_ST_LENGTH));
    if (n > MASKDM_ST_HEADER)
        return maskdm_fail(MASKDM_EFORMAT, "%s: the header has %llu bytes; at most %d are allowed",
                           maskdm_st_label(s), (unsigned long long)n, MASKDM_ST_HEADER);
    s->data_at = MASKDM_ST_LENGTH + n;
    return MASKDM_OK;
}

/* `head`: the length and the header, `total` bytes from the start of the file. */
static int judge(struct maskdm_st *s, const char *head, size_t total)
{
    int err = maskdm_st_parse(s, head + MASKDM_ST_LENGTH, total - MASKDM_ST_LENGTH);

    if (!err)
        err = maskdm_st_check(s, s->size - s->data_at);
    if (err)
        return maskdm_fail_prefix(err, "%s", maskdm_st_label(s));
    maskdm_st_digest_head(s, head, total);
    return MASKDM_OK;
}

int maskdm_st_read_header(struct maskdm_st *s)
{
    char *head;
    size_t total;
    int err;

    MASKDM_TRY(measure_header(s));
    total = (size_t)s->data_at;
    if (!s->reader)
        return judge(s, (const char *)s->memory, total);
    head = maskdm_malloc(total);
    if (!head)
        return maskdm_fail_memory(total, "the header of a tensor file");
    err = maskdm_st_bytes_at(s, head, total, 0);
    if (!err)
        err = judge(s, head, total);
    maskdm_free(head);
    return err;
}

/* People give a run's folder for the model in it. */
static int refuse_folder(const char *path)
{
    enum maskdm_file_kind kind = MASKDM_FILE_NONE, inside = MASKDM_FILE_NONE;
    char *model;

    if (!path || maskdm_file_kind_of(&kind, path) < 0 || kind != MASKDM_FILE_FOLDER)
        return MASKDM_OK; /* opening says what is wrong */
    model = maskdm_path_join(path, "model.safetensors");
    if (!model)
        return MASKDM_ENOMEM;
    (void)maskdm_file_kind_of(&inside, model);
    if (inside == MASKDM_FILE_REGULAR)
        maskdm_fail(MASKDM_EINVAL, "%s is a folder, not a file; the model in it is %s", path, model);
    else
        maskdm_fail(MASKDM_EINVAL, "%s is a folder, not a file", path);
    maskdm_free(model);
    return MASKDM_EINVAL;
}

int maskdm_st_open_as(struct maskdm_st *out, const char *path, int (*read)(struct maskdm_st *s))
{
    int err;

    memset(out, 0, sizeof *out);
    MASKDM_TRY(refuse_folder(path));
    MASKDM_TRY(maskdm_reader_open(&out->reader, path));
    out->size = maskdm_reader_size(out->reader);
    err = read(out);
    if (err)
        maskdm_st_close(out);
    return err;
}

int maskdm_st_open_memory_as(struct maskdm_st *out, const void *bytes, size_t size, int (*read)(struct maskdm_st *s))
{
    int err;

    memset(out, 0, sizeof *out);
    out->memory = bytes;
    out->size = size;
    err = read(out);
    if (err)
        maskdm_st_close(out);
    return err;
}

int maskdm_st_open(struct maskdm_st *out, const char *path)
{
    return maskdm_st_open_as(out, path, maskdm_st_read_header);
}

int maskdm_st_open_memory(struct maskdm_st *out, const void *bytes, size_t size)
{
    return maskdm_st_open_memory_as(out, bytes, size, maskdm_st_read_header);
}

void maskdm_st_close(struct maskdm_st *s)
{
    for (int64_t i = 0; i < s->count; i++)
        maskdm_free(s->tensor[i].name);
    for (int64_t i = 0; i < s->meta_count; i++) {
        maskdm_free(s->meta[i].key);
        maskdm_free(s->meta[i].value);
    }
    maskdm_free(s->tensor);
    maskdm_free(s->by_name);
    maskdm_free(s->meta);
    maskdm_free(s->part);
    maskdm_free(s->crc);
    maskdm_reader_close(&s->reader);
    memset(s, 0, sizeof *s);
}

int64_t maskdm_st_find(const struct maskdm_st *s, const char *name)
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

const char *maskdm_st_meta(const struct maskdm_st *s, const char *key)
{
    for (int64_t i = 0; i < s->meta_count; i++)
        if (!strcmp(s->meta[i].key, key))
            return s->meta[i].value;
    return NULL;
}
