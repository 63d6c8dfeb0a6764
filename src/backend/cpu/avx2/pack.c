/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed copies of the factors of a product.
 */
#include "backend/cpu/avx2/pack.h"

#include <immintrin.h>

void mdm_pack_rows(float *out, const float *x, int64_t stride, int64_t rows, int64_t width, float factor)
{
    const __m256 f = _mm256_set1_ps(factor);

    for (int64_t i = 0; i < rows; i++, x += stride, out += width)
        for (int64_t k = 0; k < width; k += 8)
            _mm256_storeu_ps(out + k, _mm256_mul_ps(f, _mm256_loadu_ps(x + k)));
}

/* Four columns of eight rows, as two halves of a vector each. */
static inline void transpose4(float *out, const float *x, int64_t stride)
{
    __m256 r[4], t[4];

    for (int i = 0; i < 4; i++)
        r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(x + i * stride)),
                                    _mm_loadu_ps(x + (i + 4) * stride), 1);
    t[0] = _mm256_unpacklo_ps(r[0], r[1]);
    t[1] = _mm256_unpackhi_ps(r[0], r[1]);
    t[2] = _mm256_unpacklo_ps(r[2], r[3]);
    t[3] = _mm256_unpackhi_ps(r[2], r[3]);
    _mm256_storeu_ps(out, _mm256_shuffle_ps(t[0], t[2], 0x44));
    _mm256_storeu_ps(out + 16, _mm256_shuffle_ps(t[0], t[2], 0xee));
    _mm256_storeu_ps(out + 32, _mm256_shuffle_ps(t[1], t[3], 0x44));
    _mm256_storeu_ps(out + 48, _mm256_shuffle_ps(t[1], t[3], 0xee));
}

/* Up to eight rows. */
static void transpose_rows(float *out, const float *x, int64_t stride, int64_t rows, int64_t width)
{
    int64_t k = 0;

    for (; rows == 8 && k + 4 <= width; k += 4)
        transpose4(out + k * 16, x + k, stride);
    for (; k < width; k++)
        for (int64_t i = 0; i < 8; i++)
            out[k * 16 + i] = i < rows ? x[i * stride + k] : 0;
}

void mdm_pack_transposed(float *out, int64_t panel, const float *x, int64_t stride, int64_t rows,
                         int64_t width)
{
    int64_t i = 0;

    for (; i + 8 <= rows; i += 8)
        transpose_rows(out + i / 16 * panel + i % 16, x + i * stride, stride, 8, width);
    if (i < rows)
        transpose_rows(out + i / 16 * panel + i % 16, x + i * stride, stride, rows - i, width);
}
