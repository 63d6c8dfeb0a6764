/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the safetensors reader and writer share.
 */
#ifndef MASKDM_TENSORFILE_SAFETENSORS_PRIVATE_H
#define MASKDM_TENSORFILE_SAFETENSORS_PRIVATE_H

#include "tensorfile/safetensors.h"
#include "tensorfile/tensorfile_private.h"

enum {
    MDM_SAFETENSORS_LENGTH = 8,         /* bytes that hold the header's length */
    MDM_SAFETENSORS_HEADER = 100000000, /* bytes, as the reference implementation has it */
    MDM_SAFETENSORS_DIGITS = 16         /* of a digest */
};

#define MDM_SAFETENSORS_META_KEY "__metadata__"
#define MDM_SAFETENSORS_DIGEST_KEY "maskdm.digest"
/* A digest is this and MDM_SAFETENSORS_DIGITS lower-case hexadecimal digits, which count as zeros in it. */
#define MDM_SAFETENSORS_DIGEST_FORM "xxh64:"
#define MDM_SAFETENSORS_DIGEST_ZEROS "0000000000000000"

struct mdm_safetensors_data {
    const void *at;
    const struct mdm_tensorfile_source *source; /* NULL: the host's memory */
};

struct mdm_safetensors_writer {
    struct mdm_tensorfile file; /* tensors in the order added, which is that of their bytes */
    struct mdm_safetensors_data *data;
};

/* Fill s->tensor and s->meta, in the order of the text, from the header's n bytes. */
int mdm_safetensors_parse(struct mdm_tensorfile *s, const char *header, size_t n);
/* Order by bytes, demand that the tensors tile `data` bytes exactly and that no name or key comes twice. */
int mdm_safetensors_check(struct mdm_tensorfile *s, uint64_t data);
/* `head` is what precedes the data: MDM_SAFETENSORS_LENGTH bytes and the header. Where the digits of its digest
 * begin; 0: there are none. */
size_t mdm_safetensors_digest_at(const char *head, size_t total);
/* Begin a file's digest with its head, whose digits count as zeros. */
void mdm_safetensors_digest_start(struct mdm_digest *d, const char *head, size_t total, size_t digits);
/* Fill s->has_digest and s->head. */
void mdm_safetensors_digest_head(struct mdm_tensorfile *s, const char *head, size_t total);

#endif
