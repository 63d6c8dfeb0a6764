/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GELU, in the erf and the tanh form, and SiLU on eight floats.
 *
 * Phi(x) = 1 - erfc(|x|/sqrt 2)/2 for x >= 0 and erfc(|x|/sqrt 2)/2 below, erfc(z) = exp(-z^2) P(1/(1 + 0.35 z))
 * with P of degree 7 and no constant term, in the form of Hastings ("Approximations for Digital Computers", 1955),
 * our own minimax coefficients: |error of erfc| < 3e-8 before rounding. Errors against double: gelu and gelu' below
 * 3e-7 (1 + |x|), the others and their derivatives the same.
 */
#include "backend/cpu/avx2/exp2.h"
#include "backend/cpu/avx2/lanes.h"
#include "backend/cpu/avx2/rows.h"

#define LOG2_E 1.44269504088896341f

/* exp(-x^2/2), and Phi(x) in *cdf. Beyond 16 the former is 0, and the square may overflow. */
static inline __m256 gauss(__m256 *cdf, __m256 x)
{
    __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x), near = _mm256_min_ps(_mm256_set1_ps(16), size);
    __m256 z = _mm256_mul_ps(size, _mm256_set1_ps(0.70710678f));
    __m256 t = _mm256_div_ps(_mm256_set1_ps(1), _mm256_fmadd_ps(z, _mm256_set1_ps(0.35f), _mm256_set1_ps(1)));
    __m256 e = mdm_avx2_exp2(_mm256_mul_ps(_mm256_mul_ps(near, near), _mm256_set1_ps(-0.5f * LOG2_E)));
    __m256 p = _mm256_set1_ps(-0x1.95a4d8p-3f);

    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0x1.8ba170p-1f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-0x1.5cc542p-1f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0x1.5eb76cp-1f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-0x1.1b47d0p-7f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0x1.e304fcp-3f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0x1.8e05f4p-3f));
    p = _mm256_mul_ps(_mm256_mul_ps(p, t), _mm256_mul_ps(e, _mm256_set1_ps(0.5f)));
    *cdf = _mm256_blendv_ps(_mm256_sub_ps(_mm256_set1_ps(1), p), p, x);
    return e;
}

static inline __m256 gelu8(__m256 x)
{
    __m256 cdf;

    gauss(&cdf, x);
    return _mm256_mul_ps(x, cdf);
}

static inline __m256 gelu_gradient8(__m256 x, __m256 dy)
{
    __m256 cdf, e = gauss(&cdf, x);

    return _mm256_mul_ps(dy, _mm256_fmadd_ps(_mm256_mul_ps(x, _mm256_set1_ps(0.39894228f)), e, cdf));
}

/* exp(-x) stays finite and x's product in range, and below -87 the result is 0, as x times it has to be; a NaN passes
 * all of it. */
static inline __m256 logistic(__m256 x)
{
    __m256 near = _mm256_max_ps(_mm256_set1_ps(-87), _mm256_min_ps(_mm256_set1_ps(88), x));
    __m256 e = mdm_avx2_exp2(_mm256_mul_ps(near, _mm256_set1_ps(-LOG2_E)));
    __m256 s = _mm256_div_ps(_mm256_set1_ps(1), _mm256_add_ps(_mm256_set1_ps(1), e));

    return _mm256_and_ps(s, _mm256_cmp_ps(x, _mm256_set1_ps(-87), _CMP_NLT_UQ));
}

static inline __m256 silu8(__m256 x)
{
    return _mm256_mul_ps(x, logistic(x));
}

static inline __m256 silu_gradient8(__m256 x, __m256 dy)
{
    const __m256 one = _mm256_set1_ps(1);
    __m256 s = logistic(x);

    return _mm256_mul_ps(_mm256_mul_ps(dy, s), _mm256_fmadd_ps(x, _mm256_sub_ps(one, s), one));
}

/* With z = 2 sqrt(2/pi)(x + 0.044715 x^3): s = 1/(1 + exp(-z)), so that gelu(x) = x s, and x s' in *bend. Beyond 64
 * s is 0 or 1 and bend 0. exp(-|z|) loses nothing where s is near 1. */
static inline __m256 tanh_gate(__m256 *bend, __m256 x)
{
    const __m256 one = _mm256_set1_ps(1);
    __m256 near = _mm256_max_ps(_mm256_set1_ps(-64), _mm256_min_ps(_mm256_set1_ps(64), x));
    __m256 square = _mm256_mul_ps(_mm256_mul_ps(near, near), _mm256_set1_ps(0.044715f));
    __m256 z = _mm256_mul_ps(near, _mm256_set1_ps(1.59576912f)), size, e, s;

    size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_mul_ps(z, _mm256_add_ps(square, one)));
    e = mdm_avx2_exp2(_mm256_mul_ps(size, _mm256_set1_ps(-LOG2_E)));
    s = _mm256_div_ps(one, _mm256_add_ps(one, e));
    *bend = _mm256_mul_ps(_mm256_mul_ps(z, _mm256_fmadd_ps(square, _mm256_set1_ps(3), one)),
                          _mm256_mul_ps(_mm256_mul_ps(e, s), s));
    return _mm256_blendv_ps(s, _mm256_mul_ps(e, s), z);
}

static inline __m256 gelu_tanh8(__m256 x)
{
    __m256 bend;

    return _mm256_mul_ps(x, tanh_gate(&bend, x));
}

static inline __m256 gelu_tanh_gradient8(__m256 x, __m256 dy)
{
    __m256 bend, s = tanh_gate(&bend, x);

    return _mm256_mul_ps(dy, _mm256_add_ps(s, bend));
}

static inline void map(float *y, const float *x, int64_t n, __m256 (*f)(__m256))
{
    int64_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, f(_mm256_loadu_ps(x + i)));
    if (i < n) {
        __m256i mask = mdm_lanes(n - i);
        _mm256_maskstore_ps(y + i, mask, f(_mm256_maskload_ps(x + i, mask)));
    }
}

static inline void map2(float *dx, const float *x, const float *dy, int64_t n, __m256 (*f)(__m256, __m256))
{
    int64_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(dx + i, f(_mm256_loadu_ps(x + i), _mm256_loadu_ps(dy + i)));
    if (i < n) {
        __m256i mask = mdm_lanes(n - i);
        _mm256_maskstore_ps(dx + i, mask, f(_mm256_maskload_ps(x + i, mask), _mm256_maskload_ps(dy + i, mask)));
    }
}

void mdm_gelu_avx2(float *y, const float *x, int64_t n)
{
    map(y, x, n, gelu8);
}

void mdm_gelu_tanh_avx2(float *y, const float *x, int64_t n)
{
    map(y, x, n, gelu_tanh8);
}

void mdm_silu_avx2(float *y, const float *x, int64_t n)
{
    map(y, x, n, silu8);
}

void mdm_gelu_backward_avx2(float *dx, const float *x, const float *dy, int64_t n)
{
    map2(dx, x, dy, n, gelu_gradient8);
}

void mdm_gelu_tanh_backward_avx2(float *dx, const float *x, const float *dy, int64_t n)
{
    map2(dx, x, dy, n, gelu_tanh_gradient8);
}

void mdm_silu_backward_avx2(float *dx, const float *x, const float *dy, int64_t n)
{
    map2(dx, x, dy, n, silu_gradient8);
}

static inline __m256 silu_mul8(__m256 a, __m256 b)
{
    return _mm256_mul_ps(silu8(a), b);
}

void mdm_silu_mul_avx2(float *y, const float *a, const float *b, int64_t n)
{
    map2(y, a, b, n, silu_mul8);
}

/* da, and db in *db */
static inline __m256 silu_mul_gradient8(__m256 *db, __m256 a, __m256 b, __m256 dy)
{
    const __m256 one = _mm256_set1_ps(1);
    __m256 s = logistic(a), gs = _mm256_mul_ps(dy, s), bend = _mm256_fmadd_ps(a, _mm256_sub_ps(one, s), one);

    *db = _mm256_mul_ps(gs, a);
    return _mm256_mul_ps(_mm256_mul_ps(gs, b), bend);
}

void mdm_silu_mul_backward_avx2(float *da, float *db, const float *a, const float *b, const float *dy, int64_t n)
{
    __m256 u, v;
    int64_t i = 0;

    for (; i + 8 <= n; i += 8) {
        u = silu_mul_gradient8(&v, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), _mm256_loadu_ps(dy + i));
        _mm256_storeu_ps(da + i, u);
        _mm256_storeu_ps(db + i, v);
    }
    if (i < n) {
        __m256i k = mdm_lanes(n - i);
        u = silu_mul_gradient8(&v, _mm256_maskload_ps(a + i, k), _mm256_maskload_ps(b + i, k),
                               _mm256_maskload_ps(dy + i, k));
        _mm256_maskstore_ps(da + i, k, u);
        _mm256_maskstore_ps(db + i, k, v);
    }
}
