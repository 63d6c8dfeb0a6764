/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packing of attention's tiles: rows of a head lie 3D or D floats apart, which would send a tile's lines to a few
 * sets of the cache.
 */
#include "backend/cpu/avx2/attention.h"

#include <immintrin.h>

void maskdm_pack_rows(float *out, const float *x, int64_t stride, int64_t rows, int64_t width, float factor)
{
    const __m256 f = _mm256_set1_ps(factor);

    for (int64_t i = 0; i < rows; i++, x += stride, out += width)
        for (int64_t k = 0; k < width; k += 8)
            _mm256_storeu_ps(out + k, _mm256_mul_ps(f, _mm256_loadu_ps(x + k)));
}

void maskdm_pack_panels(float *out, int64_t panel, const float *x, int64_t stride, int64_t rows, int64_t width,
                        float factor)
{
    const __m256 f = _mm256_set1_ps(factor);

    for (int64_t i = 0; i < rows; i++, x += stride, out += 16)
        for (int64_t k = 0; k < width; k += 8)
            _mm256_storeu_ps(out + k / 16 * panel + k % 16, _mm256_mul_ps(f, _mm256_loadu_ps(x + k)));
}

static void transpose8(float *out, int64_t step, const float *const row[8], int64_t at)
{
    __m256 r[8], t[8];

    for (int i = 0; i < 8; i++)
        r[i] = row[i] ? _mm256_loadu_ps(row[i] + at) : _mm256_setzero_ps();
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(out + i * step, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps(out + (i + 4) * step, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

void maskdm_pack_transposed(float *out, int64_t panel, const float *x, int64_t stride, int64_t rows,
                            int64_t width)
{
    for (int64_t i = 0; i < rows; i += 8) {
        const float *row[8];
        float *to = out + i / 16 * panel + i % 16;

        for (int64_t r = 0; r < 8; r++)
            row[r] = i + r < rows ? x + (i + r) * stride : NULL;
        for (int64_t k = 0; k < width; k += 8)
            transpose8(to + k * 16, 16, row, k);
    }
}
