/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AVX-512 for machines that have none: this stands in front of the compiler's header, and the kernels' sources
 * (src/backend/cpu/vector/), compiled unchanged against it, run on SIMDe's portable implementation of the intrinsics.
 * What Debian 12's SIMDe (0.7.4) lacks of those that the kernels use follows here, written from their definitions.
 */
#ifndef MASKDM_TESTS_KERNEL_AVX512_IMMINTRIN_H
#define MASKDM_TESTS_KERNEL_AVX512_IMMINTRIN_H

#pragma GCC system_header
#include_next <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

static inline __m512 mdm_emulated_load(__mmask16 k, const float *p)
{
    __m512 x = simde_mm512_setzero_ps();

    for (int i = 0; i < 16; i++)
        if (k >> i & 1)
            x[i] = p[i];
    return x;
}

static inline void mdm_emulated_store(float *p, __mmask16 k, __m512 x)
{
    for (int i = 0; i < 16; i++)
        if (k >> i & 1)
            p[i] = x[i];
}

/* a b - c in even lanes, a b + c in odd ones */
static inline __m512 mdm_emulated_fmaddsub(__m512 a, __m512 b, __m512 c)
{
    for (int i = 0; i < 16; i += 2)
        c[i] = -c[i];
    return simde_mm512_fmadd_ps(a, b, c);
}

/* Bits 2i and 2i + 1 of `from` say which of its four lanes lane i of each four becomes. */
static inline __m512 mdm_emulated_permute(__m512 x, int from)
{
    __m512 y;

    for (int i = 0; i < 16; i++)
        y[i] = x[i / 4 * 4 + (from >> 2 * (i % 4) & 3)];
    return y;
}

static inline __m256 mdm_emulated_half(__m512 x, int which)
{
    __m256 y;

    for (int i = 0; i < 8; i++)
        y[i] = x[8 * which + i];
    return y;
}

static inline __m512d mdm_emulated_widen(__m256 x)
{
    __m512d y;

    for (int i = 0; i < 8; i++)
        y[i] = (double)x[i];
    return y;
}

static inline __m256 mdm_emulated_narrow(__m512d x)
{
    __m256 y;

    for (int i = 0; i < 8; i++)
        y[i] = (float)x[i];
    return y;
}

#define _mm512_maskz_loadu_ps(k, p) mdm_emulated_load(k, p)
#define _mm512_mask_storeu_ps(p, k, x) mdm_emulated_store(p, k, x)
#define _mm512_fmaddsub_ps(a, b, c) mdm_emulated_fmaddsub(a, b, c)
#define _mm512_permute_ps(x, from) mdm_emulated_permute(x, from)
#define _mm512_extractf32x8_ps(x, which) mdm_emulated_half(x, which)
#define _mm512_cvtps_pd(x) mdm_emulated_widen(x)
#define _mm512_cvtpd_ps(x) mdm_emulated_narrow(x)

#endif
