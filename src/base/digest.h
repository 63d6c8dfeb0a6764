/* SPDX-License-Identifier: BSD-2-Clause
 *
 * XXH64, seed 0, as its public specification has it: a fast 64-bit checksum that finds damaged bytes. It is no
 * defence against someone who means harm.
 */
#ifndef MASKDM_BASE_DIGEST_H
#define MASKDM_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct mdm_digest {
    uint64_t lane[4];
    uint64_t total; /* bytes so far */
    unsigned char rest[32];
    size_t held; /* bytes in rest, below 32 between calls */
};

void mdm_digest_start(struct mdm_digest *d);
/* Bytes may come in pieces of any size; the result depends on their sequence only. */
void mdm_digest_add(struct mdm_digest *d, const void *bytes, size_t n);
uint64_t mdm_digest_value(const struct mdm_digest *d);
/* The value as 16 lower-case hexadecimal digits. */
void mdm_digest_text(const struct mdm_digest *d, char out[17]);

#endif
