/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small matrix products on tiles that lie in cache: the register tile of 6 x 16 that attention and the matrix
 * product share (Goto and van de Geijn 2008; Van Zee and van de Geijn 2015, BLIS).
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_PRODUCT_H
#define MASKDM_BACKEND_CPU_AVX2_PRODUCT_H

#include <stdint.h>

enum { MDM_TILE_ROWS = 6, MDM_TILE_COLUMNS = 16 };

/* The left factor in groups of 6 rows: element (i, k) is at[i / 6 * group + i % 6 * row + k * step]. */
struct mdm_left {
    const float *at;
    int64_t group, row, step;
};

static inline struct mdm_left mdm_rows_left(const float *at, int64_t row, int64_t step)
{
    return (struct mdm_left){at, MDM_TILE_ROWS * row, row, step};
}

/* The right factor in panels of 16 columns: element (k, j) is at[j / 16 * panel + k * step + j % 16]. */
struct mdm_right {
    const float *at;
    int64_t panel, step;
};

/* c[m,n] = a b (add 0) or c += a b (add 1) over k, ldc elements between rows of c; n is a multiple of 8. Each
 * element sums over k in order, from 0, whatever its place. */
void mdm_avx2_product(int64_t m, int64_t n, int64_t k, struct mdm_left a, struct mdm_right b, float *c, int64_t ldc,
                      int add);

#endif
