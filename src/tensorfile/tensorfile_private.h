/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the readers of tensor files, and the writer, share: limits, element types, names, bytes.
 */
#ifndef MASKDM_TENSORFILE_TENSORFILE_PRIVATE_H
#define MASKDM_TENSORFILE_TENSORFILE_PRIVATE_H

#include "tensorfile/tensorfile.h"

/* doc/formats.md lists them; the error names the limit and the number found. */
enum {
    MDM_TENSORFILE_TENSORS = 65536,
    MDM_TENSORFILE_ENTRIES = 65536, /* of metadata */
    MDM_TENSORFILE_NAME = 1024      /* bytes */
};

/* How much of a name goes into an error line. */
#define MDM_TENSORFILE_SHOWN "\"%.160s\""

enum mdm_tensorfile_kind {
    MDM_TENSORFILE_OPAQUE,
    MDM_TENSORFILE_FLOAT,
    MDM_TENSORFILE_SIGNED,
    MDM_TENSORFILE_UNSIGNED
};

struct mdm_tensorfile_dtype {
    const char *name;
    int size; /* bytes of one element */
    enum mdm_tensorfile_kind kind;
    double (*real)(uint64_t bits); /* FLOAT: the value of an element */
};

const struct mdm_tensorfile_dtype *mdm_tensorfile_dtype_find(const char *name); /* NULL: unknown */

/* Elements (into t) and bytes of t's shape; -1 when that is more than INT64_MAX bytes. */
int mdm_tensorfile_measure(struct mdm_tensorfile_tensor *t, const struct mdm_tensorfile_dtype *type, uint64_t *bytes);
/* The array with room for one more than its `count` elements: 8, then doubling. NULL when there is no memory. */
void *mdm_tensorfile_grow(void *array, int64_t count, size_t size, const char *what);
/* Fill s->by_name; no name and no metadata key may come twice. */
int mdm_tensorfile_index(struct mdm_tensorfile *s);
/* Open with what `read` makes of the bytes; when it fails, all is closed. */
int mdm_tensorfile_open_as(struct mdm_tensorfile *out, const char *path, int (*read)(struct mdm_tensorfile *s));
int mdm_tensorfile_open_memory_as(struct mdm_tensorfile *out, const void *bytes, size_t size,
                                  int (*read)(struct mdm_tensorfile *s));
/* Make s->crc, for s->part. */
int mdm_tensorfile_parts_create(struct mdm_tensorfile *s);
/* Hold the part that t lies in against its checksum, unless that was done. */
int mdm_tensorfile_check_part(struct mdm_tensorfile *s, const struct mdm_tensorfile_tensor *t);
/* Take n elements, as they lie in the file, of which the first is element `first` of the tensor. */
typedef int mdm_tensorfile_take(void *user, size_t first, const unsigned char *bytes, size_t n);
/* Hand every element of a scattered tensor to `take`, once, in whatever order reads the file best. */
int mdm_tensorfile_gather(struct mdm_tensorfile *s, const struct mdm_tensorfile_tensor *t, mdm_tensorfile_take *take,
                          void *user);
/* Bytes from `offset` on, counted from the start of the file; those of deflated parts lie behind its end. */
int mdm_tensorfile_bytes_at(struct mdm_tensorfile *s, void *out, size_t bytes, uint64_t offset);
/* The first `bytes` bytes of what lies deflated in the file. */
int mdm_tensorfile_inflate(struct mdm_tensorfile *s, uint64_t packed_at, uint64_t packed, void *out, size_t bytes);
/* What stands for the file in an error line: its path, or "tensor file in memory". */
const char *mdm_tensorfile_label(const struct mdm_tensorfile *s);

#endif
