/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the safetensors reader and writer share: limits, element types, ordering.
 */
#ifndef MASKDM_TENSORFILE_SAFETENSORS_PRIVATE_H
#define MASKDM_TENSORFILE_SAFETENSORS_PRIVATE_H

#include "tensorfile/safetensors.h"

/* doc/formats.md lists them; the error names the limit and the number found. */
enum {
    MDM_ST_LENGTH = 8,         /* bytes that hold the header's length */
    MDM_ST_HEADER = 100000000, /* bytes, as the reference implementation has it */
    MDM_ST_TENSORS = 65536,
    MDM_ST_ENTRIES = 65536, /* of metadata */
    MDM_ST_NAME = 1024,     /* bytes */
    MDM_ST_DIGITS = 16      /* of a digest */
};

#define MDM_ST_META_KEY "__metadata__"
#define MDM_ST_DIGEST_KEY "maskdm.digest"
/* A digest is this and MDM_ST_DIGITS lower-case hexadecimal digits, which count as zeros in it. */
#define MDM_ST_DIGEST_FORM "xxh64:"
#define MDM_ST_DIGEST_ZEROS "0000000000000000"
/* How much of a name goes into an error line. */
#define MDM_ST_SHOWN "\"%.160s\""

enum mdm_st_kind { MDM_ST_OPAQUE, MDM_ST_FLOAT, MDM_ST_SIGNED, MDM_ST_UNSIGNED };

struct mdm_st_dtype {
    const char *name;
    int size; /* bytes of one element */
    enum mdm_st_kind kind;
    double (*real)(uint64_t bits); /* FLOAT: the value of an element */
};

struct mdm_st_writer {
    struct mdm_st st; /* tensors in the order added, which is that of their bytes */
    const void **data;
};

const struct mdm_st_dtype *mdm_st_dtype_find(const char *name); /* NULL: unknown */

/* Elements (into t) and bytes of t's shape; -1 when that is more than INT64_MAX bytes. */
int mdm_st_measure(struct mdm_st_tensor *t, const struct mdm_st_dtype *type, uint64_t *bytes);
/* The array with room for one more than its `count` elements: 8, then doubling. NULL when there is no memory. */
void *mdm_st_grow(void *array, int64_t count, size_t size, const char *what);
/* Fill s->tensor and s->meta, in the order of the text, from the header's n bytes. */
int mdm_st_parse(struct mdm_st *s, const char *header, size_t n);
/* Fill s->by_name; no name and no metadata key may come twice. */
int mdm_st_index(struct mdm_st *s);
/* Order by bytes, demand that the tensors tile `data` bytes exactly and that no name or key comes twice. */
int mdm_st_check(struct mdm_st *s, uint64_t data);
/* `head` is what precedes the data: MDM_ST_LENGTH bytes and the header. Where the digits of its digest begin; 0:
 * there are none. */
size_t mdm_st_digest_at(const char *head, size_t total);
/* Begin a file's digest with its head, whose digits count as zeros. */
void mdm_st_digest_start(struct mdm_digest *d, const char *head, size_t total, size_t digits);
/* Fill s->has_digest and s->head. */
void mdm_st_digest_head(struct mdm_st *s, const char *head, size_t total);
/* MASKDM_EFORMAT, naming what s is, when it is empty or of a kind that people take for a tensor file. For bytes that
 * begin no tensor file. */
int mdm_st_refuse_foreign(struct mdm_st *s);
/* Judge the header of s, whose bytes are at hand: what `read` is below. */
int mdm_st_read_header(struct mdm_st *s);
/* Open with what `read` makes of the bytes; when it fails, all is closed. */
int mdm_st_open_as(struct mdm_st *out, const char *path, int (*read)(struct mdm_st *s));
int mdm_st_open_memory_as(struct mdm_st *out, const void *bytes, size_t size, int (*read)(struct mdm_st *s));
/* Make s->crc, for s->part. */
int mdm_st_parts_create(struct mdm_st *s);
/* Hold the part that t lies in against its checksum, unless that was done. */
int mdm_st_check_part(struct mdm_st *s, const struct mdm_st_tensor *t);
/* Take n elements, as they lie in the file, of which the first is element `first` of the tensor. */
typedef int mdm_st_take(void *user, size_t first, const unsigned char *bytes, size_t n);
/* Hand every element of a scattered tensor to `take`, once, in whatever order reads the file best. */
int mdm_st_gather(struct mdm_st *s, const struct mdm_st_tensor *t, mdm_st_take *take, void *user);
int mdm_st_bytes_at(struct mdm_st *s, void *out, size_t bytes, uint64_t offset); /* from the file's start */
/* What stands for the file in an error line: its path, or "tensor file in memory". */
const char *mdm_st_label(const struct mdm_st *s);

#endif
