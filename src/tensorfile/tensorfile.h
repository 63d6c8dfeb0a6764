/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file of named tensors and metadata, whatever its format is: the reader of each fills this table, told by the
 * file's first bytes (tensorfile_open.c). Elements may have to be converted, gathered, and held against checksums.
 */
#ifndef MASKDM_TENSORFILE_TENSORFILE_H
#define MASKDM_TENSORFILE_TENSORFILE_H

#include <maskdm/file.h>

#include "base/digest.h"
#include "os/file.h"

#include <stdatomic.h>

enum { MDM_TENSORFILE_RANK = 8 };

struct mdm_tensorfile_tensor {
    char *name;
    const char *dtype; /* static text */
    int rank;
    int64_t shape[MDM_TENSORFILE_RANK];
    int64_t elements;
    uint64_t begin, end; /* bytes, from the start of the data; of a scattered tensor only the length is meant */
    int scattered;       /* elements do not follow each other: begin + sum of index[i] * stride[i] elements */
    int64_t stride[MDM_TENSORFILE_RANK];
    int64_t part; /* 1 + index of the part that it lies in; 0: none with a checksum of its own */
};

/* Bytes that are held against a checksum when they are first wanted: a checkpoint's storage. */
struct mdm_tensorfile_part {
    uint64_t at, size; /* in the file */
    uint32_t crc;
    atomic_int good; /* checked, or none is stated */
    uint64_t packed_at, packed;     /* deflated: its bytes in the file; `at` is then behind the file's end */
    _Atomic(unsigned char *) bytes; /* what they are, once they are wanted */
};

struct mdm_tensorfile_entry {
    char *key, *value;
};

struct mdm_crc32;

/* What a file says, checked. Tensors of a safetensors file are in the order of their bytes. */
struct mdm_tensorfile {
    struct mdm_tensorfile_tensor *tensor;
    int64_t count;
    int64_t *by_name; /* indices in the order of names, for binary search */
    struct mdm_tensorfile_entry *meta;
    int64_t meta_count;
    struct mdm_tensorfile_part *part;
    int64_t parts; /* where some may be deflated; else 0 */
    struct mdm_crc32 *crc;     /* where there are parts */
    uint64_t data_at;          /* bytes from the start of the file */
    int has_digest;            /* in the form that is written today; then */
    struct mdm_digest head;    /* what precedes the data, digested from the bytes that were judged */
    struct mdm_reader *reader; /* or */
    const unsigned char *memory;
    uint64_t size;
};

/* For writers: how bytes that lie where the host cannot follow are read, *out from `data` on, which is part of what
 * was added. */
struct mdm_tensorfile_source {
    int (*read)(void *user, void *out, const void *data, size_t bytes);
    void *user;
};

/* Of any format that is known. */
int mdm_tensorfile_open(struct mdm_tensorfile *out, const char *path);
int mdm_tensorfile_open_memory(struct mdm_tensorfile *out, const void *bytes, size_t size);
void mdm_tensorfile_close(struct mdm_tensorfile *s);
int64_t mdm_tensorfile_find(const struct mdm_tensorfile *s, const char *name); /* -1: none */
/* After names were changed in place: MASKDM_EFORMAT where one then comes twice. */
int mdm_tensorfile_reindex(struct mdm_tensorfile *s);
const char *mdm_tensorfile_meta(const struct mdm_tensorfile *s, const char *key);
int mdm_tensorfile_read(struct mdm_tensorfile *s, int64_t i, void *out, size_t bytes); /* raw, exact size */
int mdm_tensorfile_read_f32(struct mdm_tensorfile *s, int64_t i, float *out, int64_t count);
/* Elements [first, first + count). */
int mdm_tensorfile_read_f32_part(struct mdm_tensorfile *s, int64_t i, int64_t first, float *out, int64_t count);
int mdm_tensorfile_read_f64(struct mdm_tensorfile *s, int64_t i, double *out, int64_t count);
int mdm_tensorfile_read_i64(struct mdm_tensorfile *s, int64_t i, int64_t *out, int64_t count);

/* ---- tensorfile_dtype.c ---- */
/* The nearest number of 16 bits, ties to even: infinity beyond the largest. */
uint16_t mdm_tensorfile_to_f16(float x);
uint16_t mdm_tensorfile_to_bf16(float x);

#endif
