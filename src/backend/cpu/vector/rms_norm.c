/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RMSNorm's rows on vectors, in the manner of LayerNorm's (norm.c).
 */
#include "backend/cpu/vector/rows.h"

static float sum_squares(const float *x, int64_t n)
{
    mdm_vec s = mdm_v_set(0), u = s;
    int64_t i = 0;

    for (; i + 2 * MDM_LANES <= n; i += 2 * MDM_LANES) {
        mdm_vec a = mdm_v_load(x + i), b = mdm_v_load(x + i + MDM_LANES);
        s = mdm_v_fma(a, a, s);
        u = mdm_v_fma(b, b, u);
    }
    for (; i < n; i += MDM_LANES) {
        mdm_vec a = mdm_v_load_some(x + i, mdm_v_first(n - i));
        s = mdm_v_fma(a, a, s);
    }
    return mdm_v_sum(s + u);
}

float SET(mdm_rms_norm)(float *y, const float *x, const float *w, double epsilon, int64_t n)
{
    float r = (float)(1 / sqrt((double)sum_squares(x, n) / (double)n + epsilon));
    mdm_vec m = mdm_v_set(r);
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES)
        mdm_v_store(y + i, mdm_v_load(x + i) * m * mdm_v_load(w + i));
    if (i < n) {
        mdm_some k = mdm_v_first(n - i);
        mdm_vec h = mdm_v_load_some(x + i, k) * m;
        mdm_v_store_some(y + i, k, h * mdm_v_load_some(w + i, k));
    }
    return r;
}

/* sum of w dy x */
static float sum_products(const float *w, const float *dy, const float *x, int64_t n)
{
    mdm_vec s[2] = {mdm_v_set(0), mdm_v_set(0)};

    for (int64_t i = 0, odd = 0; i < n; i += MDM_LANES, odd ^= 1) {
        mdm_some k = mdm_v_first(n - i);
        mdm_vec g = mdm_v_load_some(w + i, k) * mdm_v_load_some(dy + i, k);
        s[odd] = mdm_v_fma(g, mdm_v_load_some(x + i, k), s[odd]);
    }
    return mdm_v_sum(s[0] + s[1]);
}

/* dx; dw in and out */
static inline mdm_vec gradient_vec(mdm_vec *dw, mdm_vec dy, mdm_vec x, mdm_vec w, mdm_vec r, mdm_vec avg)
{
    mdm_vec h = x * r;

    *dw = mdm_v_fma(dy, h, *dw);
    return mdm_v_fms(w, dy, h * avg) * r;
}

void SET(mdm_rms_norm_backward)(float *dx, float *dw, const float *dy, const float *x, const float *w, float r,
                                int64_t n)
{
    mdm_vec m = mdm_v_set(r), avg = mdm_v_set(sum_products(w, dy, x, n) * r / (float)n);
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES) {
        mdm_vec u = mdm_v_load(dw + i);
        mdm_vec d = gradient_vec(&u, mdm_v_load(dy + i), mdm_v_load(x + i), mdm_v_load(w + i), m, avg);
        mdm_v_store(dw + i, u);
        mdm_v_store(dx + i, d);
    }
    if (i < n) {
        mdm_some k = mdm_v_first(n - i);
        mdm_vec u = mdm_v_load_some(dw + i, k);
        mdm_vec d = gradient_vec(&u, mdm_v_load_some(dy + i, k), mdm_v_load_some(x + i, k), mdm_v_load_some(w + i, k),
                                 m, avg);
        mdm_v_store_some(dw + i, k, u);
        mdm_v_store_some(dx + i, k, d);
    }
}
