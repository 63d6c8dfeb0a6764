/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Samples as the floats of 0 .. 1 that they stand for.
 */
#ifndef MASKDM_DATA_SAMPLES_H
#define MASKDM_DATA_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

/* (float)(257 x) / 65535, bit for bit, without dividing: x / 255 = 257 x / 65536 + (x / 255) / 65536, of which the
 * first term is a float, and what is missing of the second is far too little to turn the sum. */
static inline float mdm_sample_u8(unsigned char x)
{
    const float v = (float)x;

    return v * (257 / 65536.0f) + v * (1 / 255.0f / 65536);
}

/* In pieces of a fixed length, which compilers turn into vectors. */
static inline void mdm_samples_u8(float *restrict to, const unsigned char *restrict from, size_t n)
{
    enum { PIECE = 16 };

    for (; n >= PIECE; n -= PIECE, to += PIECE, from += PIECE)
        for (int k = 0; k < PIECE; k++)
            to[k] = mdm_sample_u8(from[k]);
    for (size_t i = 0; i < n; i++)
        to[i] = mdm_sample_u8(from[i]);
}

static inline void mdm_samples_u16(float *to, const uint16_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i] / 65535.0f;
}

#endif
