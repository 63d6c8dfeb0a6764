/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening a tensor file: the whole header is judged before a handle exists, and memory is taken only for what
 * the file holds. Lookups after that are binary searches; bytes come by positioned reads.
 */
#include "io/safetensors_private.h"

#include "util/alloc.h"
#include "util/digest.h"
#include "util/endian.h"
#include "util/error.h"

#include <string.h>

enum { CHUNK = 1 << 18 };

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

/* The header's place: MASKDM_ST_LENGTH, its length, and the rest of the file is data. */
static int measure_header(struct maskdm_st *s, size_t *length)
{
    unsigned char bytes[MASKDM_ST_LENGTH];
    uint64_t n;

    if (s->size < MASKDM_ST_LENGTH)
        return maskdm_fail(MASKDM_EFORMAT, "%s: a tensor file has at least %d bytes, this one %llu",
                           maskdm_st_label(s), MASKDM_ST_LENGTH, (unsigned long long)s->size);
    MASKDM_TRY(maskdm_st_bytes_at(s, bytes, sizeof bytes, 0));
    n = maskdm_load_le(bytes, sizeof bytes);
    if (!memcmp(bytes, "PK\3\4", 4))
        return maskdm_fail(MASKDM_EFORMAT,
                           "%s: a zip archive, not a safetensors file; of a PyTorch checkpoint, maskdm "
                           "convert makes a model file",
                           maskdm_st_label(s));
    if (n > s->size - MASKDM_ST_LENGTH)
        return maskdm_fail(MASKDM_EFORMAT, "%s: the header is said to have %llu bytes, but only %llu follow",
                           maskdm_st_label(s), (unsigned long long)n,
                           (unsigned long long)(s->size - MASKDM_ST_LENGTH));
    if (n > MASKDM_ST_HEADER)
        return maskdm_fail(MASKDM_EFORMAT, "%s: the header has %llu bytes; at most %d are allowed",
                           maskdm_st_label(s), (unsigned long long)n, MASKDM_ST_HEADER);
    *length = (size_t)n;
    s->data_at = MASKDM_ST_LENGTH + n;
    return MASKDM_OK;
}

static int judge(struct maskdm_st *s, const char *header, size_t length)
{
    int err = maskdm_st_parse(s, header, length);

    if (!err)
        err = maskdm_st_check(s, s->size - s->data_at);
    return err ? maskdm_fail_prefix(err, "%s", maskdm_st_label(s)) : MASKDM_OK;
}

int maskdm_st_read_header(struct maskdm_st *s)
{
    char *header;
    size_t length = 0;
    int err;

    MASKDM_TRY(measure_header(s, &length));
    if (!s->reader)
        return judge(s, (const char *)s->memory + MASKDM_ST_LENGTH, length);
    header = maskdm_malloc(length ? length : 1);
    if (!header)
        return maskdm_fail_memory(length, "the header of a tensor file");
    err = maskdm_st_bytes_at(s, header, length, MASKDM_ST_LENGTH);
    if (!err)
        err = judge(s, header, length);
    maskdm_free(header);
    return err;
}

int maskdm_st_open_as(struct maskdm_st *out, const char *path, int (*read)(struct maskdm_st *s))
{
    int err;

    memset(out, 0, sizeof *out);
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

static int digest_data(struct maskdm_st *s, char text[17])
{
    uint64_t left = s->size - s->data_at, at = s->data_at;
    struct maskdm_digest d;
    unsigned char *chunk = maskdm_malloc(CHUNK);
    int err = chunk ? MASKDM_OK : maskdm_fail_memory(CHUNK, "reading a tensor file");

    maskdm_digest_start(&d);
    while (left && !err) {
        size_t n = left < CHUNK ? (size_t)left : CHUNK;
        err = maskdm_st_bytes_at(s, chunk, n, at);
        if (!err)
            maskdm_digest_add(&d, chunk, n);
        at += n;
        left -= n;
    }
    maskdm_free(chunk);
    maskdm_digest_text(&d, text);
    return err;
}

int maskdm_st_verify(struct maskdm_st *s)
{
    const char *stated = maskdm_st_meta(s, MASKDM_ST_DIGEST_KEY);
    char found[17];

    if (!stated)
        return maskdm_fail(MASKDM_EFORMAT, "%s: no digest of the tensor bytes in its metadata", maskdm_st_label(s));
    MASKDM_TRY(digest_data(s, found));
    if (strcmp(stated, found))
        return maskdm_fail(MASKDM_EFORMAT, "%s is damaged: its tensor bytes have digest %s instead of %.40s",
                           maskdm_st_label(s), found, stated);
    return MASKDM_OK;
}
