/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The micro-kernel: what the product and attention need of an instruction set. How they cut their work into blocks
 * that stay in cache (this folder) is the same for all sets and knows no instructions; a set says how large its
 * register tile is and brings the loops over rows that are packed (backend/cpu/vector/).
 */
#ifndef MASKDM_BACKEND_CPU_TILE_TILE_H
#define MASKDM_BACKEND_CPU_TILE_TILE_H

#include "tensor/tensor.h"

enum { MDM_MOST_COLUMNS = 32, MDM_MOST_LANES = 16 }; /* of any set's tile */

/* The left factor in groups of as many rows as a tile has: element (i, k) is at[i / rows * group + i % rows * row +
 * k * step]. */
struct mdm_left {
    const float *at;
    int64_t group, row, step;
};

/* The right factor in panels of as many columns as a tile has: element (k, j) is at[j / columns * panel + k * step +
 * j % columns]. */
struct mdm_right {
    const float *at;
    int64_t panel, step;
};

struct mdm_tile {
    int rows, columns; /* sums that stay in registers; rows divides 48, columns is a multiple of 8 */
    int lanes;         /* of a vector; divides columns */

    /* c[m,n] = a b (add 0) or c += a b (add 1) over k, ldc elements between rows of c. Each element sums over k in
     * order, from 0, whatever its place. */
    void (*product)(int64_t m, int64_t n, int64_t k, struct mdm_left a, struct mdm_right b, float *c, int64_t ldc,
                    int add);

    /* Copies, since the factors lie far apart in memory, which would send a tile's lines to a few sets of the cache.
     * Rows of `width` floats, `stride` apart, without gaps, times `factor`: */
    void (*pack_rows)(float *out, const float *x, int64_t stride, int64_t rows, int64_t width, float factor);
    /* the same transposed in panels, `panel` floats apart; rows missing up to a multiple of lanes are zero: */
    void (*pack_transposed)(float *out, int64_t panel, const float *x, int64_t stride, int64_t rows, int64_t width);
    /* `depth` rows of `width` floats in panels; the columns that the last one lacks are left as they are: */
    void (*pack_panels)(float *out, int64_t panel, const float *x, int64_t stride, int64_t depth, int64_t width);
    /* `depth` rows of `width` floats, each cut into groups of tile rows, `group` floats apart. */
    void (*pack_groups)(float *out, int64_t group, const float *x, int64_t stride, int64_t depth, int64_t width);

    /* n values of 16 bits, MDM_BF16 or MDM_F16, that are finite */
    void (*widen)(float *out, const uint16_t *x, enum mdm_dtype type, int64_t n);

    /* Rows of attention. One of scores in base 2, s[keys], to weights relative to the largest so far, *top, which
     * *total and o[width] (NULL: nothing yet) are brought to; s has room up to a multiple of lanes. */
    void (*soften)(float *s, int64_t keys, float *top, float *total, float *o, int64_t width);
    /* s = 2^(s - lse), 0 up to a multiple of lanes */
    void (*weigh)(float *s, int64_t keys, float lse);
    /* ds = p (ds - delta) */
    void (*slope)(float *ds, const float *p, int64_t keys, float delta);
    float (*dot)(const float *a, const float *b, int64_t n);
    /* out (+)= factor x */
    void (*scale)(float *out, const float *x, int64_t n, float factor, int add);
    /* out (+)= the sum of `count` parts, `stride` floats apart, in order */
    void (*sum)(float *out, const float *part, int64_t stride, int64_t count, int64_t n, int add);
};

static inline struct mdm_left mdm_rows_left(const struct mdm_tile *t, const float *at, int64_t row, int64_t step)
{
    return (struct mdm_left){at, t->rows * row, row, step};
}

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
