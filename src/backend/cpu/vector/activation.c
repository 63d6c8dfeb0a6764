/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GELU, in the erf and the tanh form, and SiLU on vectors.
 *
 * Phi(x) = 1 - erfc(|x|/sqrt 2)/2 for x >= 0 and erfc(|x|/sqrt 2)/2 below, erfc(z) = exp(-z^2) P(1/(1 + 0.35 z))
 * with P of degree 7 and no constant term, in the form of Hastings ("Approximations for Digital Computers", 1955),
 * our own minimax coefficients: |error of erfc| < 3e-8 before rounding. Errors against double: gelu and gelu' below
 * 3e-7 (1 + |x|), the others and their derivatives the same.
 */
#include "backend/cpu/vector/exp2.h"
#include "backend/cpu/vector/rows.h"

#define LOG2_E 1.44269504088896341f

/* exp(-x^2/2), and Phi(x) in *cdf. Beyond 16 the former is 0, and the square may overflow. */
static inline mdm_vec gauss(mdm_vec *cdf, mdm_vec x)
{
    mdm_vec size = mdm_v_abs(x), near = mdm_v_min(mdm_v_set(16), size);
    mdm_vec z = size * mdm_v_set(0.70710678f);
    mdm_vec t = mdm_v_set(1) / mdm_v_fma(z, mdm_v_set(0.35f), mdm_v_set(1));
    mdm_vec e = mdm_v_exp2(near * near * mdm_v_set(-0.5f * LOG2_E));
    mdm_vec p = mdm_v_set(-0x1.95a4d8p-3f);

    p = mdm_v_fma(p, t, mdm_v_set(0x1.8ba170p-1f));
    p = mdm_v_fma(p, t, mdm_v_set(-0x1.5cc542p-1f));
    p = mdm_v_fma(p, t, mdm_v_set(0x1.5eb76cp-1f));
    p = mdm_v_fma(p, t, mdm_v_set(-0x1.1b47d0p-7f));
    p = mdm_v_fma(p, t, mdm_v_set(0x1.e304fcp-3f));
    p = mdm_v_fma(p, t, mdm_v_set(0x1.8e05f4p-3f));
    p = p * t * (e * mdm_v_set(0.5f));
    *cdf = mdm_v_by_sign(x, mdm_v_set(1) - p, p);
    return e;
}

static inline mdm_vec gelu_vec(mdm_vec x)
{
    mdm_vec cdf;

    gauss(&cdf, x);
    return x * cdf;
}

static inline mdm_vec gelu_gradient_vec(mdm_vec x, mdm_vec dy)
{
    mdm_vec cdf, e = gauss(&cdf, x);

    return dy * mdm_v_fma(x * mdm_v_set(0.39894228f), e, cdf);
}

/* exp(-x) stays finite and x's product in range, and below -87 the result is 0, as x times it has to be; a NaN passes
 * all of it. */
static inline mdm_vec logistic(mdm_vec x)
{
    mdm_vec near = mdm_v_max(mdm_v_set(-87), mdm_v_min(mdm_v_set(88), x));
    mdm_vec e = mdm_v_exp2(near * mdm_v_set(-LOG2_E));
    mdm_vec s = mdm_v_set(1) / (mdm_v_set(1) + e);

    return mdm_v_unless_below(x, mdm_v_set(-87), s);
}

static inline mdm_vec silu_vec(mdm_vec x)
{
    return x * logistic(x);
}

static inline mdm_vec silu_gradient_vec(mdm_vec x, mdm_vec dy)
{
    const mdm_vec one = mdm_v_set(1);
    mdm_vec s = logistic(x);

    return dy * s * mdm_v_fma(x, one - s, one);
}

/* With z = 2 sqrt(2/pi)(x + 0.044715 x^3): s = 1/(1 + exp(-z)), so that gelu(x) = x s, and x s' in *bend. Beyond 64
 * s is 0 or 1 and bend 0. exp(-|z|) loses nothing where s is near 1. */
static inline mdm_vec tanh_gate(mdm_vec *bend, mdm_vec x)
{
    const mdm_vec one = mdm_v_set(1);
    mdm_vec near = mdm_v_max(mdm_v_set(-64), mdm_v_min(mdm_v_set(64), x));
    mdm_vec square = near * near * mdm_v_set(0.044715f);
    mdm_vec z = near * mdm_v_set(1.59576912f), size, e, s;

    size = mdm_v_abs(z * (square + one));
    e = mdm_v_exp2(size * mdm_v_set(-LOG2_E));
    s = one / (one + e);
    *bend = z * mdm_v_fma(square, mdm_v_set(3), one) * (e * s * s);
    return mdm_v_by_sign(z, s, e * s);
}

static inline mdm_vec gelu_tanh_vec(mdm_vec x)
{
    mdm_vec bend;

    return x * tanh_gate(&bend, x);
}

static inline mdm_vec gelu_tanh_gradient_vec(mdm_vec x, mdm_vec dy)
{
    mdm_vec bend, s = tanh_gate(&bend, x);

    return dy * (s + bend);
}

static inline void map(float *y, const float *x, int64_t n, mdm_vec (*f)(mdm_vec))
{
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES)
        mdm_v_store(y + i, f(mdm_v_load(x + i)));
    if (i < n) {
        mdm_some mask = mdm_v_first(n - i);
        mdm_v_store_some(y + i, mask, f(mdm_v_load_some(x + i, mask)));
    }
}

static inline void map2(float *dx, const float *x, const float *dy, int64_t n, mdm_vec (*f)(mdm_vec, mdm_vec))
{
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES)
        mdm_v_store(dx + i, f(mdm_v_load(x + i), mdm_v_load(dy + i)));
    if (i < n) {
        mdm_some mask = mdm_v_first(n - i);
        mdm_v_store_some(dx + i, mask, f(mdm_v_load_some(x + i, mask), mdm_v_load_some(dy + i, mask)));
    }
}

void SET(mdm_gelu)(float *y, const float *x, int64_t n)
{
    map(y, x, n, gelu_vec);
}

void SET(mdm_gelu_tanh)(float *y, const float *x, int64_t n)
{
    map(y, x, n, gelu_tanh_vec);
}

void SET(mdm_silu)(float *y, const float *x, int64_t n)
{
    map(y, x, n, silu_vec);
}

void SET(mdm_gelu_backward)(float *dx, const float *x, const float *dy, int64_t n)
{
    map2(dx, x, dy, n, gelu_gradient_vec);
}

void SET(mdm_gelu_tanh_backward)(float *dx, const float *x, const float *dy, int64_t n)
{
    map2(dx, x, dy, n, gelu_tanh_gradient_vec);
}

void SET(mdm_silu_backward)(float *dx, const float *x, const float *dy, int64_t n)
{
    map2(dx, x, dy, n, silu_gradient_vec);
}

static inline mdm_vec silu_mul_vec(mdm_vec a, mdm_vec b)
{
    return silu_vec(a) * b;
}

void SET(mdm_silu_mul)(float *y, const float *a, const float *b, int64_t n)
{
    map2(y, a, b, n, silu_mul_vec);
}

/* da, and db in *db */
static inline mdm_vec silu_mul_gradient_vec(mdm_vec *db, mdm_vec a, mdm_vec b, mdm_vec dy)
{
    const mdm_vec one = mdm_v_set(1);
    mdm_vec s = logistic(a), gs = dy * s, bend = mdm_v_fma(a, one - s, one);

    *db = gs * a;
    return gs * b * bend;
}

void SET(mdm_silu_mul_backward)(float *da, float *db, const float *a, const float *b, const float *dy, int64_t n)
{
    mdm_vec u, v;
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES) {
        u = silu_mul_gradient_vec(&v, mdm_v_load(a + i), mdm_v_load(b + i), mdm_v_load(dy + i));
        mdm_v_store(da + i, u);
        mdm_v_store(db + i, v);
    }
    if (i < n) {
        mdm_some k = mdm_v_first(n - i);
        u = silu_mul_gradient_vec(&v, mdm_v_load_some(a + i, k), mdm_v_load_some(b + i, k),
                                  mdm_v_load_some(dy + i, k));
        mdm_v_store_some(da + i, k, u);
        mdm_v_store_some(db + i, k, v);
    }
}
