/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Eight floats at a time, and what is left at the end of a row through a mask, so that an element's result does not
 * depend on where in the row it stands.
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_LANES_H
#define MASKDM_BACKEND_CPU_AVX2_LANES_H

#include <immintrin.h>
#include <stdint.h>

/* The first n of eight lanes, n in 1 .. 7. */
static inline __m256i mdm_lanes(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* Sum in a fixed order. */
static inline float mdm_lane_sum(__m256 x)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

#endif
