/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Little-endian numbers in bytes of any alignment. Files pass through these and nothing else, so that the same
 * bytes are written and read on every machine.
 */
#ifndef MASKDM_BASE_ENDIAN_H
#define MASKDM_BASE_ENDIAN_H

#include <stddef.h>
#include <stdint.h>

/* The number in the first `size` (1 to 8) bytes at p. */
static inline uint64_t mdm_load_le(const void *p, int size)
{
    const unsigned char *byte = p;
    uint64_t x = 0;

    for (int i = 0; i < size; i++)
        x |= (uint64_t)byte[i] << (8 * i);
    return x;
}

static inline void mdm_store_le(void *p, int size, uint64_t x)
{
    unsigned char *byte = p;

    for (int i = 0; i < size; i++)
        byte[i] = (unsigned char)(x >> (8 * i));
}

static inline int mdm_host_is_little(void)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return 0;
#else
    return 1;
#endif
}

/* Turn `count` numbers of `size` bytes between the host's order and little endian, in place; either way. */
static inline void mdm_swap_le(void *p, int size, size_t count)
{
    unsigned char *byte = p;

    if (mdm_host_is_little() || size == 1)
        return;
    for (size_t k = 0; k < count; k++, byte += size)
        for (int i = 0; i < size / 2; i++) {
            unsigned char b = byte[i];
            byte[i] = byte[size - 1 - i];
            byte[size - 1 - i] = b;
        }
}

#endif
