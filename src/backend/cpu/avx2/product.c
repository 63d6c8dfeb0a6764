/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The register tile: up to 6 rows by 16 columns of sums stay in 12 registers over the whole of k, so that each
 * step costs 2 loads, 6 broadcasts and 12 fused multiply-adds. Smaller tiles at the edges are the same code with
 * fewer rows or half the columns; a sum has one order in all of them.
 */
#include "backend/cpu/avx2/product.h"

#include <immintrin.h>

typedef void (*tile_fn)(int64_t k, struct maskdm_left a, const float *b, float *c, int64_t ldc, int add);

/* rows and vectors are constants where this is inlined. */
static inline __attribute__((always_inline)) void sum_tile(int rows, int vectors, int64_t k, struct maskdm_left a,
                                                           const float *b, float *c, int64_t ldc, int add)
{
    __m256 s[MASKDM_TILE_ROWS][2];

#pragma GCC unroll 6
    for (int i = 0; i < rows; i++)
        s[i][0] = s[i][1] = _mm256_setzero_ps();
    for (int64_t t = 0; t < k; t++, a.at += a.step, b += MASKDM_TILE_COLUMNS) {
        __m256 b0 = _mm256_loadu_ps(b), b1 = vectors > 1 ? _mm256_loadu_ps(b + 8) : b0;
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) {
            __m256 x = _mm256_broadcast_ss(a.at + i * a.row);
            s[i][0] = _mm256_fmadd_ps(x, b0, s[i][0]);
            if (vectors > 1)
                s[i][1] = _mm256_fmadd_ps(x, b1, s[i][1]);
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            float *at = c + i * ldc + 8 * v;
            _mm256_storeu_ps(at, add ? _mm256_add_ps(_mm256_loadu_ps(at), s[i][v]) : s[i][v]);
        }
}

#define TILE(rows, vectors)                                                                                  \
    static void tile_##rows##x##vectors(int64_t k, struct maskdm_left a, const float *b, float *c,           \
                                        int64_t ldc, int add)                                                \
    {                                                                                                        \
        sum_tile(rows, vectors, k, a, b, c, ldc, add);                                                       \
    }
TILE(1, 1)
TILE(2, 1)
TILE(3, 1)
TILE(4, 1)
TILE(5, 1)
TILE(6, 1)
TILE(1, 2)
TILE(2, 2)
TILE(3, 2)
TILE(4, 2)
TILE(5, 2)
TILE(6, 2)

static const tile_fn tiles[2][MASKDM_TILE_ROWS] = {
    {tile_1x1, tile_2x1, tile_3x1, tile_4x1, tile_5x1, tile_6x1},
    {tile_1x2, tile_2x2, tile_3x2, tile_4x2, tile_5x2, tile_6x2},
};

void maskdm_avx2_product(int64_t m, int64_t n, int64_t k, struct maskdm_left a, struct maskdm_right b, float *c,
                         int64_t ldc, int add)
{
    for (int64_t j = 0; j < n; j += MASKDM_TILE_COLUMNS, b.at += b.panel) {
        const tile_fn *tile = tiles[n - j > 8];
        struct maskdm_left at = a;

        for (int64_t i = 0; i < m; i += MASKDM_TILE_ROWS, at.at += MASKDM_TILE_ROWS * a.row) {
            int64_t rows = m - i < MASKDM_TILE_ROWS ? m - i : MASKDM_TILE_ROWS;
            tile[rows - 1](k, at, b.at, c + i * ldc + j, ldc, add);
        }
    }
}
