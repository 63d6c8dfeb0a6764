/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packing: the factors of a product lie far apart in memory, which would send a tile's lines to a few sets of the
 * cache; products run on copies.
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_PACK_H
#define MASKDM_BACKEND_CPU_AVX2_PACK_H

#include <stddef.h>
#include <stdint.h>

/* A copy of rows of `width` floats, `stride` apart, without gaps, times `factor`. width is a multiple of 8. */
void mdm_pack_rows(float *out, const float *x, int64_t stride, int64_t rows, int64_t width, float factor);
/* A transposed copy in panels of 16 rows, `panel` floats apart; rows that are missing up to a multiple of 8 are
 * zero. */
void mdm_pack_transposed(float *out, int64_t panel, const float *x, int64_t stride, int64_t rows,
                         int64_t width);

static inline int64_t mdm_round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

static inline int64_t mdm_lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next n floats of a block, from a line of the cache on; NULL where the block is. */
static inline float *mdm_take(float *block, int64_t *used, int64_t n)
{
    float *at = block ? block + *used : NULL;

    *used += mdm_round_up(n, 16);
    return at;
}

#endif
