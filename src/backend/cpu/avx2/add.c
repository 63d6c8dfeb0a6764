/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums and products of rows on eight floats.
 */
#include "backend/cpu/avx2/lanes.h"
#include "backend/cpu/avx2/rows.h"

void mdm_add_avx2(float *y, const float *a, const float *b, int64_t n)
{
    int64_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
    for (; i < n; i++)
        y[i] = a[i] + b[i];
}

void mdm_mul_add_avx2(float *y, const float *a, const float *b, const float *c, int64_t n)
{
    const __m256 zero = _mm256_setzero_ps();
    int64_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_fmadd_ps(_mm256_loadu_ps(b + i), _mm256_loadu_ps(c + i),
                                                a ? _mm256_loadu_ps(a + i) : zero));
    if (i < n) {
        __m256i k = mdm_lanes(n - i);
        _mm256_maskstore_ps(y + i, k,
                            _mm256_fmadd_ps(_mm256_maskload_ps(b + i, k), _mm256_maskload_ps(c + i, k),
                                            a ? _mm256_maskload_ps(a + i, k) : zero));
    }
}

static inline __m256 modulate8(__m256 x, __m256 scale, __m256 shift)
{
    return _mm256_fmadd_ps(x, _mm256_add_ps(_mm256_set1_ps(1), scale), shift);
}

void mdm_modulate_avx2(float *y, const float *x, const float *scale, const float *shift, int64_t n)
{
    int64_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, modulate8(_mm256_loadu_ps(x + i), _mm256_loadu_ps(scale + i),
                                          _mm256_loadu_ps(shift + i)));
    if (i < n) {
        __m256i k = mdm_lanes(n - i);
        _mm256_maskstore_ps(y + i, k,
                            modulate8(_mm256_maskload_ps(x + i, k), _mm256_maskload_ps(scale + i, k),
                                      _mm256_maskload_ps(shift + i, k)));
    }
}
