/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CRC-32, "slicing by eight": table k advances a byte past k others, so that eight look-ups serve eight bytes. */
#include "base/crc32.h"

#include "base/endian.h"

void mdm_crc32_prepare(struct mdm_crc32 *c)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t x = i;

        for (int bit = 0; bit < 8; bit++)
            x = x & 1 ? x >> 1 ^ 0xEDB88320u : x >> 1;
        c->table[0][i] = x;
    }
    for (int k = 1; k < 8; k++)
        for (int i = 0; i < 256; i++)
            c->table[k][i] = c->table[k - 1][i] >> 8 ^ c->table[0][c->table[k - 1][i] & 255];
}

uint32_t mdm_crc32_add(const struct mdm_crc32 *c, uint32_t before, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint32_t x = ~before;

    for (; n >= 8; n -= 8, p += 8) {
        const uint64_t w = mdm_load_le(p, 8) ^ x;

        x = c->table[7][w & 255] ^ c->table[6][w >> 8 & 255] ^ c->table[5][w >> 16 & 255] ^
            c->table[4][w >> 24 & 255] ^ c->table[3][w >> 32 & 255] ^ c->table[2][w >> 40 & 255] ^
            c->table[1][w >> 48 & 255] ^ c->table[0][w >> 56];
    }
    for (; n; n--, p++)
        x = x >> 8 ^ c->table[0][(x ^ *p) & 255];
    return ~x;
}
