/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The register tile: up to 6 rows by 16 columns of sums stay in 12 registers over the whole of k, so that each
 * step costs 2 loads, 6 broadcasts and 12 fused multiply-adds. Smaller tiles at the edges are the same code with
 * fewer rows or half the columns; a sum has one order in all of them.
 */
#include "backend/cpu/avx2/product.h"

#include <immintrin.h>

/* rows and vectors are constants where this is inlined. */
static inline __attribute__((always_inline)) void sum_tile(int rows, int vectors, int64_t k, const float *a,
                                                           int64_t row, int64_t step, const float *b,
                                                           int64_t b_step, float *c, int64_t ldc, int add)
{
    __m256 s[MDM_TILE_ROWS][2];

#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        s[i][0] = s[i][1] = _mm256_setzero_ps();
        _mm_prefetch((const char *)(c + i * ldc), _MM_HINT_T0);
    }
    for (int64_t t = 0; t < k; t++, a += step, b += b_step) {
        __m256 b0 = _mm256_loadu_ps(b), b1 = vectors > 1 ? _mm256_loadu_ps(b + 8) : b0;
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) {
            __m256 x = _mm256_broadcast_ss(a + i * row);
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

/* All rows of one panel: whole tiles, then the rows that are left. `next` is the panel that comes after: its lines
 * are asked for a share at a time. */
static inline __attribute__((always_inline)) void sum_panel(int vectors, int64_t m, int64_t k, struct mdm_left a,
                                                            const float *b, int64_t b_step, float *c, int64_t ldc,
                                                            int add, const float *next)
{
    const int64_t share = next ? k * MDM_TILE_ROWS / (m + 1) : 0;

    for (; m >= MDM_TILE_ROWS; m -= MDM_TILE_ROWS) {
        for (int64_t i = 0; i < share; i++, next += MDM_TILE_COLUMNS)
            _mm_prefetch((const char *)next, _MM_HINT_T0);
        sum_tile(MDM_TILE_ROWS, vectors, k, a.at, a.row, a.step, b, b_step, c, ldc, add);
        a.at += a.group;
        c += MDM_TILE_ROWS * ldc;
    }
    switch (m) {
    case 5:
        sum_tile(5, vectors, k, a.at, a.row, a.step, b, b_step, c, ldc, add);
        break;
    case 4:
        sum_tile(4, vectors, k, a.at, a.row, a.step, b, b_step, c, ldc, add);
        break;
    case 3:
        sum_tile(3, vectors, k, a.at, a.row, a.step, b, b_step, c, ldc, add);
        break;
    case 2:
        sum_tile(2, vectors, k, a.at, a.row, a.step, b, b_step, c, ldc, add);
        break;
    case 1:
        sum_tile(1, vectors, k, a.at, a.row, a.step, b, b_step, c, ldc, add);
        break;
    }
}

void mdm_avx2_product(int64_t m, int64_t n, int64_t k, struct mdm_left a, struct mdm_right b, float *c,
                      int64_t ldc, int add)
{
    const int ahead = b.step == MDM_TILE_COLUMNS;

    for (; n > 8; n -= MDM_TILE_COLUMNS, b.at += b.panel, c += MDM_TILE_COLUMNS)
        sum_panel(2, m, k, a, b.at, b.step, c, ldc, add, ahead && n > MDM_TILE_COLUMNS ? b.at + b.panel : NULL);
    if (n > 0)
        sum_panel(1, m, k, a, b.at, b.step, c, ldc, add, NULL);
}
