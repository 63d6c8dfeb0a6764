/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AVX-512 (F, VL, DQ, BW) for backend/cpu/vector/vector.h: sixteen floats. The tile of 12 x 32 takes 24 of 32
 * registers, so that each step costs 2 loads, 12 broadcasts and 24 fused multiply-adds; 12 rows are a divisor of what
 * the blocks of products and attention have.
 */
#ifndef MASKDM_BACKEND_CPU_AVX512_LANES_H
#define MASKDM_BACKEND_CPU_AVX512_LANES_H

#include <immintrin.h>
#include <stdint.h>

enum { MDM_LANES = 16, MDM_WIDE_LANES = 8, MDM_TILE_ROWS = 12 };

typedef __m512 mdm_vec;
typedef __mmask16 mdm_some;
typedef __m512d mdm_wide;

static inline mdm_vec mdm_v_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline mdm_vec mdm_v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void mdm_v_store(float *p, mdm_vec x)
{
    _mm512_storeu_ps(p, x);
}

static inline mdm_some mdm_v_first(int64_t n)
{
    return (mdm_some)(n < MDM_LANES ? (1u << n) - 1 : 0xffffu);
}

static inline mdm_vec mdm_v_load_some(const float *p, mdm_some k)
{
    return _mm512_maskz_loadu_ps(k, p);
}

static inline void mdm_v_store_some(float *p, mdm_some k, mdm_vec x)
{
    _mm512_mask_storeu_ps(p, k, x);
}

static inline mdm_vec mdm_v_keep(mdm_some k, mdm_vec x)
{
    return _mm512_maskz_mov_ps(k, x);
}

static inline mdm_vec mdm_v_fma(mdm_vec a, mdm_vec b, mdm_vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline mdm_vec mdm_v_fms(mdm_vec a, mdm_vec b, mdm_vec c)
{
    return _mm512_fmsub_ps(a, b, c);
}

static inline mdm_vec mdm_v_max(mdm_vec a, mdm_vec b)
{
    return _mm512_max_ps(a, b);
}

static inline mdm_vec mdm_v_min(mdm_vec a, mdm_vec b)
{
    return _mm512_min_ps(a, b);
}

static inline mdm_vec mdm_v_sqrt(mdm_vec a)
{
    return _mm512_sqrt_ps(a);
}

static inline mdm_vec mdm_v_abs(mdm_vec a)
{
    return _mm512_abs_ps(a);
}

static inline mdm_vec mdm_v_by_sign(mdm_vec x, mdm_vec a, mdm_vec b)
{
    return _mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(x)), a, b);
}

static inline mdm_vec mdm_v_unless_below(mdm_vec x, mdm_vec bound, mdm_vec y)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, bound, _CMP_NLT_UQ), y);
}

static inline mdm_vec mdm_v_raise(mdm_vec y, mdm_vec n)
{
    return _mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(y), _mm512_slli_epi32(_mm512_castps_si512(n), 23)));
}

static inline float mdm_v_sum(mdm_vec x)
{
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static inline float mdm_v_top(mdm_vec x)
{
    const __m256 h = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));

    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

static inline mdm_vec mdm_v_load4(const float *p, int64_t stride)
{
    const mdm_vec a = _mm512_castps128_ps512(_mm_loadu_ps(p));
    const mdm_vec b = _mm512_insertf32x4(a, _mm_loadu_ps(p + stride), 1);

    return _mm512_insertf32x4(_mm512_insertf32x4(b, _mm_loadu_ps(p + 2 * stride), 2), _mm_loadu_ps(p + 3 * stride),
                              3);
}

static inline void mdm_v_transpose4(mdm_vec r[4])
{
    const mdm_vec a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]);
    const mdm_vec c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);

    r[0] = _mm512_shuffle_ps(a, c, 0x44);
    r[1] = _mm512_shuffle_ps(a, c, 0xee);
    r[2] = _mm512_shuffle_ps(b, d, 0x44);
    r[3] = _mm512_shuffle_ps(b, d, 0xee);
}

static inline mdm_vec mdm_v_twice(const float *p)
{
    return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7),
                                 _mm512_castps256_ps512(_mm256_loadu_ps(p)));
}

static inline mdm_vec mdm_v_turn(mdm_vec x, mdm_vec c, mdm_vec s)
{
    return _mm512_fmaddsub_ps(x, c, _mm512_permute_ps(x, 0xb1) * s);
}

static inline mdm_wide mdm_w_set(double x)
{
    return _mm512_set1_pd(x);
}

static inline mdm_wide mdm_w_load(const float *p)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}

static inline void mdm_w_store(float *p, mdm_wide x)
{
    _mm256_storeu_ps(p, _mm512_cvtpd_ps(x));
}

static inline mdm_wide mdm_w_fma(mdm_wide a, mdm_wide b, mdm_wide c)
{
    return _mm512_fmadd_pd(a, b, c);
}

static inline mdm_wide mdm_w_max(mdm_wide a, mdm_wide b)
{
    return _mm512_max_pd(a, b);
}

static inline mdm_wide mdm_w_min(mdm_wide a, mdm_wide b)
{
    return _mm512_min_pd(a, b);
}

static inline mdm_wide mdm_w_sqrt(mdm_wide a)
{
    return _mm512_sqrt_pd(a);
}

static inline mdm_wide mdm_w_abs(mdm_wide a)
{
    return _mm512_abs_pd(a);
}

static inline mdm_wide mdm_w_pick(mdm_wide a, mdm_wide b, mdm_wide x, mdm_wide y)
{
    return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(a, b, _CMP_LE_OQ), y, x);
}

static inline double mdm_w_sum(mdm_wide x)
{
    double part[MDM_WIDE_LANES], sum = 0;

    _mm512_storeu_pd(part, x);
    for (int i = 0; i < MDM_WIDE_LANES; i++)
        sum += part[i];
    return sum;
}

#endif
