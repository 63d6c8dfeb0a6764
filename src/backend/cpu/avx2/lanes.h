/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AVX2 with FMA for backend/cpu/vector/vector.h: eight floats. The tile of 6 x 16 takes 12 of 16 registers, so that
 * each step costs 2 loads, 6 broadcasts and 12 fused multiply-adds.
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_LANES_H
#define MASKDM_BACKEND_CPU_AVX2_LANES_H

#include <immintrin.h>
#include <stdint.h>

enum { MDM_LANES = 8, MDM_WIDE_LANES = 4, MDM_TILE_ROWS = 6 };

typedef __m256 mdm_vec;
typedef __m256i mdm_some;
typedef __m256d mdm_wide;

static inline mdm_vec mdm_v_set(float x)
{
    return _mm256_set1_ps(x);
}

static inline mdm_vec mdm_v_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline void mdm_v_store(float *p, mdm_vec x)
{
    _mm256_storeu_ps(p, x);
}

static inline mdm_some mdm_v_first(int64_t n)
{
    return n < MDM_LANES
               ? _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
               : _mm256_set1_epi32(-1);
}

static inline mdm_vec mdm_v_load_some(const float *p, mdm_some k)
{
    return _mm256_maskload_ps(p, k);
}

static inline void mdm_v_store_some(float *p, mdm_some k, mdm_vec x)
{
    _mm256_maskstore_ps(p, k, x);
}

static inline mdm_vec mdm_v_keep(mdm_some k, mdm_vec x)
{
    return _mm256_and_ps(x, _mm256_castsi256_ps(k));
}

static inline mdm_vec mdm_v_fma(mdm_vec a, mdm_vec b, mdm_vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline mdm_vec mdm_v_fms(mdm_vec a, mdm_vec b, mdm_vec c)
{
    return _mm256_fmsub_ps(a, b, c);
}

static inline mdm_vec mdm_v_max(mdm_vec a, mdm_vec b)
{
    return _mm256_max_ps(a, b);
}

static inline mdm_vec mdm_v_min(mdm_vec a, mdm_vec b)
{
    return _mm256_min_ps(a, b);
}

static inline mdm_vec mdm_v_sqrt(mdm_vec a)
{
    return _mm256_sqrt_ps(a);
}

static inline mdm_vec mdm_v_abs(mdm_vec a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}

static inline mdm_vec mdm_v_by_sign(mdm_vec x, mdm_vec a, mdm_vec b)
{
    return _mm256_blendv_ps(a, b, x);
}

static inline mdm_vec mdm_v_unless_below(mdm_vec x, mdm_vec bound, mdm_vec y)
{
    return _mm256_and_ps(y, _mm256_cmp_ps(x, bound, _CMP_NLT_UQ));
}

static inline mdm_vec mdm_v_raise(mdm_vec y, mdm_vec n)
{
    return _mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_castps_si256(y), _mm256_slli_epi32(_mm256_castps_si256(n), 23)));
}

static inline float mdm_v_sum(mdm_vec x)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static inline float mdm_v_top(mdm_vec x)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

static inline mdm_vec mdm_v_load4(const float *p, int64_t stride)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + stride), 1);
}

static inline void mdm_v_transpose4(mdm_vec r[4])
{
    const mdm_vec a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
    const mdm_vec c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);

    r[0] = _mm256_shuffle_ps(a, c, 0x44);
    r[1] = _mm256_shuffle_ps(a, c, 0xee);
    r[2] = _mm256_shuffle_ps(b, d, 0x44);
    r[3] = _mm256_shuffle_ps(b, d, 0xee);
}

static inline mdm_vec mdm_v_twice(const float *p)
{
    return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)),
                                    _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

static inline mdm_vec mdm_v_turn(mdm_vec x, mdm_vec c, mdm_vec s)
{
    return _mm256_addsub_ps(_mm256_mul_ps(x, c), _mm256_mul_ps(_mm256_permute_ps(x, 0xb1), s));
}

static inline mdm_wide mdm_w_set(double x)
{
    return _mm256_set1_pd(x);
}

static inline mdm_wide mdm_w_load(const float *p)
{
    return _mm256_cvtps_pd(_mm_loadu_ps(p));
}

static inline void mdm_w_store(float *p, mdm_wide x)
{
    _mm_storeu_ps(p, _mm256_cvtpd_ps(x));
}

static inline mdm_wide mdm_w_fma(mdm_wide a, mdm_wide b, mdm_wide c)
{
    return _mm256_fmadd_pd(a, b, c);
}

static inline mdm_wide mdm_w_max(mdm_wide a, mdm_wide b)
{
    return _mm256_max_pd(a, b);
}

static inline mdm_wide mdm_w_min(mdm_wide a, mdm_wide b)
{
    return _mm256_min_pd(a, b);
}

static inline mdm_wide mdm_w_sqrt(mdm_wide a)
{
    return _mm256_sqrt_pd(a);
}

static inline mdm_wide mdm_w_abs(mdm_wide a)
{
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
}

static inline mdm_wide mdm_w_pick(mdm_wide a, mdm_wide b, mdm_wide x, mdm_wide y)
{
    return _mm256_blendv_pd(y, x, _mm256_cmp_pd(a, b, _CMP_LE_OQ));
}

static inline double mdm_w_sum(mdm_wide x)
{
    double part[MDM_WIDE_LANES];

    _mm256_storeu_pd(part, x);
    return part[0] + part[1] + part[2] + part[3];
}

#endif
