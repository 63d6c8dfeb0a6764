/* SPDX-License-Identifier: BSD-2-Clause
 *
 * 2^x for eight floats.
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_EXP2_H
#define MASKDM_BACKEND_CPU_AVX2_EXP2_H

#include <immintrin.h>

/* For x <= 126: the relative error stays below 2.5e-7, 2^0 is exactly 1, below 2^-126 the result is 0, also of
 * -infinity, and a NaN stays one. x is split into the nearest integer, which the addition of 1.5 2^23 leaves in the
 * low bits, and a rest in [-1/2, 1/2] for a minimax polynomial; what ends as 0 is brought near before, since its rest
 * would overflow, or be infinity less infinity, and a host may trap that. */
static inline __m256 mdm_avx2_exp2(__m256 x)
{
    const __m256 magic = _mm256_set1_ps(0x1.8p23f);
    __m256 near = _mm256_max_ps(_mm256_set1_ps(-127.0f), x);
    __m256 shifted = _mm256_add_ps(near, magic);
    __m256 f = _mm256_sub_ps(near, _mm256_sub_ps(shifted, magic));
    __m256 y = _mm256_set1_ps(0x1.5c08e4p-10f);

    y = _mm256_fmadd_ps(y, f, _mm256_set1_ps(0x1.3d0c54p-7f));
    y = _mm256_fmadd_ps(y, f, _mm256_set1_ps(0x1.c6b6e4p-5f));
    y = _mm256_fmadd_ps(y, f, _mm256_set1_ps(0x1.ebf918p-3f));
    y = _mm256_fmadd_ps(y, f, _mm256_set1_ps(0x1.62e428p-1f));
    y = _mm256_fmadd_ps(y, f, _mm256_set1_ps(1.0f));
    /* the integer goes into the exponent's bits */
    y = _mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_castps_si256(y), _mm256_slli_epi32(_mm256_castps_si256(shifted), 23)));
    return _mm256_and_ps(y, _mm256_cmp_ps(x, _mm256_set1_ps(-126.0f), _CMP_NLT_UQ));
}

#endif
