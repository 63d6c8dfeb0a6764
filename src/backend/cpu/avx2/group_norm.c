/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rows of group norm on eight floats.
 */
#include "backend/cpu/avx2/lanes.h"
#include "backend/cpu/avx2/rows.h"

static inline __m256 load(const float *x, __m256i lanes, int whole)
{
    return whole ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, lanes);
}

static inline void store(float *x, __m256i lanes, int whole, __m256 value)
{
    if (whole)
        _mm256_storeu_ps(x, value);
    else
        _mm256_maskstore_ps(x, lanes, value);
}

void mdm_affine_avx2(float *y, const float *x, const float *mean, const float *scale, const float *shift, int64_t n)
{
    for (int64_t i = 0; i < n; i += 8) {
        const int whole = n - i >= 8;
        const __m256i k = whole ? _mm256_setzero_si256() : mdm_lanes(n - i);
        const __m256 away = _mm256_sub_ps(load(x + i, k, whole), load(mean + i, k, whole));

        store(y + i, k, whole, _mm256_fmadd_ps(away, load(scale + i, k, whole), load(shift + i, k, whole)));
    }
}

void mdm_moment_avx2(float *y, const float *a, const float *x, const float *mean, int64_t n)
{
    for (int64_t i = 0; i < n; i += 8) {
        const int whole = n - i >= 8;
        const __m256i k = whole ? _mm256_setzero_si256() : mdm_lanes(n - i);
        const __m256 away = _mm256_sub_ps(load(x + i, k, whole), load(mean + i, k, whole));

        store(y + i, k, whole, _mm256_fmadd_ps(a ? load(a + i, k, whole) : away, away, load(y + i, k, whole)));
    }
}
