/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CRC-32 of zip and PNG (reflected polynomial 0xEDB88320), eight bytes a turn.
 */
#ifndef MASKDM_BASE_CRC32_H
#define MASKDM_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

struct mdm_crc32 {
    uint32_t table[8][256];
};

void mdm_crc32_prepare(struct mdm_crc32 *c);
/* The checksum of what `before` is the checksum of (0: nothing) and then n bytes. */
uint32_t mdm_crc32_add(const struct mdm_crc32 *c, uint32_t before, const void *bytes, size_t n);

#endif
