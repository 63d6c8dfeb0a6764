/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the safetensors reader and writer share: limits, element types, ordering.
 */
#ifndef MASKDM_TENSORFILE_TENSORFILE_PRIVATE_H
#define MASKDM_TENSORFILE_TENSORFILE_PRIVATE_H

#include "tensorfile/tensorfile.h"

/* doc/formats.md lists them; the error names the limit and the number found. */
enum {
    MDM_SAFETENSORS_LENGTH = 8,         /* bytes that hold the header's length */
    MDM_SAFETENSORS_HEADER = 100000000, /* bytes, as the reference implementation has it */
    MDM_TENSORFILE_TENSORS = 65536,
    MDM_TENSORFILE_ENTRIES = 65536, /* of metadata */
    MDM_TENSORFILE_NAME = 1024,     /* bytes */
    MDM_SAFETENSORS_DIGITS = 16     /* of a digest */
};

#define MDM_SAFETENSORS_META_KEY "__metadata__"
#define MDM_SAFETENSORS_DIGEST_KEY "maskdm.digest"
/* A digest is this and MDM_SAFETENSORS_DIGITS lower-case hexadecimal digits, which count as zeros in it. */
#define MDM_SAFETENSORS_DIGEST_FORM "xxh64:"
#define MDM_SAFETENSORS_DIGEST_ZEROS "0000000000000000"
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

struct mdm_safetensors_writer {
    struct mdm_tensorfile st; /* tensors in the order added, which is that of their bytes */
    const void **data;
};

const struct mdm_tensorfile_dtype *mdm_tensorfile_dtype_find(const char *name); /* NULL: unknown */

/* Elements (into t) and bytes of t's shape; -1 when that is more than INT64_MAX bytes. */
int mdm_tensorfile_measure(struct mdm_tensorfile_tensor *t, const struct mdm_tensorfile_dtype *type, uint64_t *bytes);
/* The array with room for one more than its `count` elements: 8, then doubling. NULL when there is no memory. */
void *mdm_tensorfile_grow(void *array, int64_t count, size_t size, const char *what);
/* Fill s->tensor and s->meta, in the order of the text, from the header's n bytes. */
int mdm_safetensors_parse(struct mdm_tensorfile *s, const char *header, size_t n);
/* Fill s->by_name; no name and no metadata key may come twice. */
int mdm_tensorfile_index(struct mdm_tensorfile *s);
/* Order by bytes, demand that the tensors tile `data` bytes exactly and that no name or key comes twice. */
int mdm_safetensors_check(struct mdm_tensorfile *s, uint64_t data);
/* `head` is what precedes the data: MDM_SAFETENSORS_LENGTH bytes and the header. Where the digits of its digest
 * begin; 0: there are none. */
size_t mdm_safetensors_digest_at(const char *head, size_t total);
/* Begin a file's digest with its head, whose digits count as zeros. */
void mdm_safetensors_digest_start(struct mdm_digest *d, const char *head, size_t total, size_t digits);
/* Fill s->has_digest and s->head. */
void mdm_safetensors_digest_head(struct mdm_tensorfile *s, const char *head, size_t total);
/* MASKDM_EFORMAT, naming what s is, when it is empty or of a kind that people take for a tensor file. For bytes that
 * begin no tensor file. */
int mdm_foreign_refuse(struct mdm_tensorfile *s);
/* Judge the header of s, whose bytes are at hand: what `read` is below. */
int mdm_safetensors_read(struct mdm_tensorfile *s);
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
int mdm_tensorfile_bytes_at(struct mdm_tensorfile *s, void *out, size_t bytes,
                            uint64_t offset); /* from the file's start */
/* What stands for the file in an error line: its path, or "tensor file in memory". */
const char *mdm_tensorfile_label(const struct mdm_tensorfile *s);

#endif
