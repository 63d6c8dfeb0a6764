/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pairs of neighbours turned by their angles, four pairs at a time.
 */
#include "backend/cpu/avx2/lanes.h"
#include "backend/cpu/avx2/rows.h"

/* a0 a0 a1 a1 ... of the first four */
static inline __m256 twice(__m128 a)
{
    return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(a), _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

/* x0 c - x1 s, x1 c + x0 s, ... */
static inline __m256 turn8(__m256 x, __m256 c, __m256 s)
{
    return _mm256_addsub_ps(_mm256_mul_ps(x, c), _mm256_mul_ps(_mm256_permute_ps(x, 0xb1), s));
}

void mdm_turn_avx2(float *y, const float *x, const float *c, const float *s, float way, int64_t n)
{
    __m256 sign = _mm256_set1_ps(way);
    int64_t i = 0;

    for (; i + 4 <= n; i += 4)
        _mm256_storeu_ps(y + 2 * i, turn8(_mm256_loadu_ps(x + 2 * i), twice(_mm_loadu_ps(c + i)),
                                          _mm256_mul_ps(sign, twice(_mm_loadu_ps(s + i)))));
    if (i < n) {
        __m256i k = mdm_lanes(2 * (n - i));
        __m128i half = _mm256_castsi256_si128(mdm_lanes(n - i));
        __m256 a = _mm256_maskload_ps(x + 2 * i, k);
        _mm256_maskstore_ps(
            y + 2 * i, k,
            turn8(a, twice(_mm_maskload_ps(c + i, half)), _mm256_mul_ps(sign, twice(_mm_maskload_ps(s + i, half)))));
    }
}
