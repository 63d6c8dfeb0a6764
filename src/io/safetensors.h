/* SPDX-License-Identifier: BSD-2-Clause
 *
 * safetensors: 8 bytes little-endian header length, JSON header, tensor bytes. Stricter than the reference
 * where a C string API sits behind it: no duplicate names, no NUL in names, rank at most 8, the tensors tile
 * the data exactly. doc/formats.md has the rules and the limits.
 */
#ifndef MASKDM_IO_SAFETENSORS_H
#define MASKDM_IO_SAFETENSORS_H

#include <maskdm/file.h>

#include "util/digest.h"
#include "util/file.h"

#include <stdatomic.h>

enum { MASKDM_ST_RANK = 8 };

struct maskdm_st_tensor {
    char *name;
    const char *dtype; /* static text */
    int rank;
    int64_t shape[MASKDM_ST_RANK];
    int64_t elements;
    uint64_t begin, end; /* bytes, from the start of the data; of a scattered tensor only the length is meant */
    int scattered;       /* elements do not follow each other: begin + sum of index[i] * stride[i] elements */
    int64_t stride[MASKDM_ST_RANK];
    int64_t part; /* 1 + index of the part that it lies in; 0: none with a checksum of its own */
};

/* Bytes that are held against a checksum when they are first wanted: a checkpoint's storage. */
struct maskdm_st_part {
    uint64_t at, size; /* in the file */
    uint32_t crc;
    atomic_int good; /* checked, or none is stated */
};

struct maskdm_st_entry { char *key, *value; };

struct maskdm_crc32;

/* What a file says, checked. Tensors of a safetensors file are in the order of their bytes. */
struct maskdm_st {
    struct maskdm_st_tensor *tensor;
    int64_t count;
    int64_t *by_name; /* indices in the order of names, for binary search */
    struct maskdm_st_entry *meta;
    int64_t meta_count;
    struct maskdm_st_part *part;
    struct maskdm_crc32 *crc; /* where there are parts */
    uint64_t data_at; /* bytes from the start of the file */
    int has_digest;   /* in the form that is written today; then */
    struct maskdm_digest head; /* what precedes the data, digested from the bytes that were judged */
    struct maskdm_reader *reader; /* or */
    const unsigned char *memory;
    uint64_t size;
};

int maskdm_st_open(struct maskdm_st *out, const char *path);
int maskdm_st_open_memory(struct maskdm_st *out, const void *bytes, size_t size);
void maskdm_st_close(struct maskdm_st *s);
int64_t maskdm_st_find(const struct maskdm_st *s, const char *name); /* -1: none */
/* After names were changed in place: MASKDM_EFORMAT where one then comes twice. */
int maskdm_st_reindex(struct maskdm_st *s);
const char *maskdm_st_meta(const struct maskdm_st *s, const char *key);
int maskdm_st_read(struct maskdm_st *s, int64_t i, void *out, size_t bytes); /* raw, exact size */
int maskdm_st_read_f32(struct maskdm_st *s, int64_t i, float *out, int64_t count);
/* Elements [first, first + count). */
int maskdm_st_read_f32_part(struct maskdm_st *s, int64_t i, int64_t first, float *out, int64_t count);
int maskdm_st_read_f64(struct maskdm_st *s, int64_t i, double *out, int64_t count);
int maskdm_st_read_i64(struct maskdm_st *s, int64_t i, int64_t *out, int64_t count);

/* ---- writing: pieces are borrowed until saved ---- */
struct maskdm_st_writer;
int maskdm_st_writer_create(struct maskdm_st_writer **out);
void maskdm_st_writer_release(struct maskdm_st_writer **w);
int maskdm_st_writer_meta(struct maskdm_st_writer *w, const char *key, const char *value);
int maskdm_st_writer_add(struct maskdm_st_writer *w, const char *name, const char *dtype, const int64_t *shape,
                         int rank, const void *data);
/* With `digest` non-zero the metadata gains "maskdm.digest", a checksum of every byte of the file, the header's too
 * (doc/formats.md); maskdm_st_verify() recomputes it. */
int maskdm_st_writer_save(struct maskdm_st_writer *w, const char *path, int digest);
/* MASKDM_EFORMAT when the digest is absent or does not match, MASKDM_EVERSION where it covers less than the file. */
int maskdm_st_verify(struct maskdm_st *s);

#endif
