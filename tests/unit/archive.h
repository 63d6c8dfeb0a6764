/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tiny writer of PyTorch checkpoints, for tests: bytes that grow, pickle pieces, a zip archive in torch.save's
 * layout (or with sizes in the entries' own headers).
 */
#ifndef MASKDM_TESTS_UNIT_ARCHIVE_H
#define MASKDM_TESTS_UNIT_ARCHIVE_H

#include "base/crc32.h"
#include "base/endian.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct bytes {
    unsigned char *data;
    size_t size, room;
};

static inline void put(struct bytes *b, const void *data, size_t n)
{
    enum { MOST = 1 << 30 };

    if (n > MOST)
        exit(EXIT_FAILURE);
    if (n > b->room - b->size) {
        b->room = 2 * (b->size + n) + 64;
        b->data = realloc(b->data, b->room);
        if (!b->data)
            exit(EXIT_FAILURE);
    }
    if (n)
        memcpy(b->data + b->size, data, n);
    b->size += n;
}

static inline void put_le(struct bytes *b, int size, uint64_t x)
{
    unsigned char field[8];

    mdm_store_le(field, size, x);
    put(b, field, (size_t)size);
}

/* Floats as every file has them, whatever the machine. */
static inline void store_floats(unsigned char *out, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, x + i, sizeof bits);
        mdm_store_le(out + 4 * i, 4, bits);
    }
}

static inline void put_string(struct bytes *b, const char *s)
{
    put(b, s, strlen(s));
}

/* ---- pickles ---- */

static inline void put_text(struct bytes *b, const char *s)
{
    put_string(b, "X");
    put_le(b, 4, strlen(s));
    put_string(b, s);
}

static inline void put_int(struct bytes *b, int64_t x)
{
    put_string(b, "\x8a\x08");
    put_le(b, 8, (uint64_t)x);
}

static inline void put_ints(struct bytes *b, const int64_t *x, int n)
{
    put_string(b, "(");
    for (int i = 0; i < n; i++)
        put_int(b, x[i]);
    put_string(b, "t");
}

/* A tensor of `elements` elements of class `storage` ("Float"). */
static inline void put_tensor(struct bytes *b, const char *storage, const char *key, int64_t elements, int64_t offset,
                              const int64_t *size, const int64_t *stride, int rank)
{
    put_string(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(b, "storage");
    put_string(b, "ctorch\n");
    put_string(b, storage);
    put_string(b, "Storage\n");
    put_text(b, key);
    put_text(b, "cpu");
    put_int(b, elements);
    put_string(b, "tQ");
    put_int(b, offset);
    put_ints(b, size, rank);
    put_ints(b, stride, rank);
    put_string(b, "\x89"
                  "ccollections\nOrderedDict\n)RtR");
}

/* ---- archives ---- */

struct archive {
    struct bytes file, directory;
    struct mdm_crc32 crc;
    int entries;
    int plain;  /* sizes in the headers, no descriptors */
    int no_crc; /* none stated, as torch.save can be told */
    int zip64;  /* with the zip64 end records */
    int wide;   /* descriptors with sizes of 64 bits */
    int deflate;
};

/* Raw deflated bytes, to be freed. */
static inline void *deflated(const void *data, size_t n, size_t *packed)
{
    const size_t room = n + n / 100 + 64;
    unsigned char *out = malloc(room);
    z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)room};

    if (!out || deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        exit(EXIT_FAILURE);
    *packed = z.total_out;
    deflateEnd(&z);
    return out;
}

/* The m bytes at `packed` stand for the n bytes of `data`. */
static inline void add_packed(struct archive *a, const char *name, const void *data, size_t n, const void *packed,
                              size_t m)
{
    const unsigned flags = a->plain ? 0 : 0x0808;
    const uint64_t offset = a->file.size;
    uint32_t crc;

    if (!a->entries)
        mdm_crc32_prepare(&a->crc);
    crc = a->no_crc ? 0 : mdm_crc32_add(&a->crc, 0, data, n);
    put_le(&a->file, 4, 0x04034b50);
    put_le(&a->file, 2, 0);
    put_le(&a->file, 2, flags);
    put_le(&a->file, 2, a->deflate ? 8 : 0);
    put_le(&a->file, 4, 0); /* time, date */
    put_le(&a->file, 4, a->plain ? crc : 0);
    put_le(&a->file, 4, a->plain ? m : 0);
    put_le(&a->file, 4, a->plain ? n : 0);
    put_le(&a->file, 2, strlen(name));
    put_le(&a->file, 2, a->plain ? 0 : 6);
    put_string(&a->file, name);
    if (!a->plain)
        put(&a->file, "FB\2\0ZZ", 6);
    put(&a->file, packed, m);
    if (!a->plain) {
        put_le(&a->file, 4, 0x08074b50);
        put_le(&a->file, 4, crc);
        put_le(&a->file, a->wide ? 8 : 4, m);
        put_le(&a->file, a->wide ? 8 : 4, n);
    }
    put_le(&a->directory, 4, 0x02014b50);
    put_le(&a->directory, 4, 0);
    put_le(&a->directory, 2, flags);
    put_le(&a->directory, 2, a->deflate ? 8 : 0);
    put_le(&a->directory, 4, 0);
    put_le(&a->directory, 4, crc);
    put_le(&a->directory, 4, m);
    put_le(&a->directory, 4, n);
    put_le(&a->directory, 2, strlen(name));
    put_le(&a->directory, 8, 0); /* extra, comment, volume, attributes */
    put_le(&a->directory, 4, 0);
    put_le(&a->directory, 4, offset);
    put_string(&a->directory, name);
    a->entries++;
}

static inline void add_entry(struct archive *a, const char *name, const void *data, size_t n)
{
    size_t m = n;
    void *packed = a->deflate ? deflated(data, n, &m) : NULL;

    add_packed(a, name, data, n, packed ? packed : data, m);
    free(packed);
}

/* The file is then whole in a->file, to be freed with free_archive(). */
static inline void end_archive(struct archive *a)
{
    const uint64_t at = a->file.size, size = a->directory.size, n = (uint64_t)a->entries;

    put(&a->file, a->directory.data, a->directory.size);
    if (a->zip64) {
        put_le(&a->file, 4, 0x06064b50);
        put_le(&a->file, 8, 44);
        put_le(&a->file, 4, 0);
        put_le(&a->file, 8, 0);
        put_le(&a->file, 8, n);
        put_le(&a->file, 8, n);
        put_le(&a->file, 8, size);
        put_le(&a->file, 8, at);
        put_le(&a->file, 4, 0x07064b50);
        put_le(&a->file, 4, 0);
        put_le(&a->file, 8, at + size);
        put_le(&a->file, 4, 1);
    }
    put_le(&a->file, 4, 0x06054b50);
    put_le(&a->file, 4, 0);
    put_le(&a->file, 2, a->zip64 ? 0xffff : n);
    put_le(&a->file, 2, a->zip64 ? 0xffff : n);
    put_le(&a->file, 4, a->zip64 ? 0xffffffff : size);
    put_le(&a->file, 4, a->zip64 ? 0xffffffff : at);
    put_le(&a->file, 2, 0);
}

static inline void free_archive(struct archive *a)
{
    free(a->file.data);
    free(a->directory.data);
    *a = (struct archive){0};
}

/* ---- NumPy's arrays ---- */

/* "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }" and so many bytes. */
static inline void put_array(struct bytes *b, const char *dictionary, const void *data, size_t n)
{
    const size_t length = strlen(dictionary), padded = (10 + length + 1 + 63) / 64 * 64 - 10;

    put(b, "\x93NUMPY\1\0", 8);
    put_le(b, 2, padded);
    put_string(b, dictionary);
    for (size_t i = length; i + 1 < padded; i++)
        put_string(b, " ");
    put_string(b, "\n");
    put(b, data, n);
}

static inline void add_array(struct archive *a, const char *name, const char *dictionary, const void *data, size_t n)
{
    struct bytes b = {0};

    put_array(&b, dictionary, data, n);
    add_entry(a, name, b.data, b.size);
    free(b.data);
}

/* The archive of one pickle and one storage, "0". */
static inline void make_archive(struct archive *a, const void *pickle, size_t n, const void *storage, size_t m)
{
    add_entry(a, "archive/data.pkl", pickle, n);
    add_entry(a, "archive/byteorder", "little", 6);
    add_entry(a, "archive/data/0", storage, m);
    add_entry(a, "archive/version", "3\n", 2);
    end_archive(a);
}

#endif
