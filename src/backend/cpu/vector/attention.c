/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of attention on vectors, their copies, and the sums over its parts.
 */
#include "backend/cpu/vector/exp2.h"
#include "backend/cpu/vector/rows.h"

#include <math.h>

static inline void scale_row(float *out, const float *x, int64_t n, mdm_vec factor, int add)
{
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES) {
        const mdm_vec v = factor * mdm_v_load(x + i);
        mdm_v_store(out + i, add ? mdm_v_plus(mdm_v_load(out + i), v) : v);
    }
    if (i < n) {
        const mdm_some k = mdm_v_first(n - i);
        const mdm_vec v = factor * mdm_v_load_some(x + i, k);
        mdm_v_store_some(out + i, k, add ? mdm_v_plus(mdm_v_load_some(out + i, k), v) : v);
    }
}

void SET(mdm_scale)(float *out, const float *x, int64_t n, float factor, int add)
{
    scale_row(out, x, n, mdm_v_set(factor), add);
}

void SET(mdm_pack_rows)(float *out, const float *x, int64_t stride, int64_t rows, int64_t width, float factor)
{
    for (int64_t i = 0; i < rows; i++, x += stride, out += width)
        scale_row(out, x, width, mdm_v_set(factor), 0);
}

static void hide_tail(float *s, int64_t keys)
{
    for (int64_t i = keys; i % MDM_LANES; i++)
        s[i] = -INFINITY;
}

void SET(mdm_soften)(float *s, int64_t keys, float *top, float *total, float *o, int64_t width)
{
    mdm_vec most, weight = mdm_v_set(0);
    float peak;

    hide_tail(s, keys);
    most = mdm_v_load(s);
    for (int64_t i = MDM_LANES; i < keys; i += MDM_LANES)
        most = mdm_v_max(most, mdm_v_load(s + i));
    peak = mdm_v_top(most);
    if (peak > *top) {
        const mdm_vec shrink = mdm_v_exp2(mdm_v_set(*top - peak));

        if (o)
            scale_row(o, o, width, shrink, 0);
        *total *= shrink[0];
        *top = peak;
    }
    most = mdm_v_set(*top);
    for (int64_t i = 0; i < keys; i += MDM_LANES) {
        const mdm_vec p = mdm_v_exp2(mdm_v_load(s + i) - most);
        weight = weight + p;
        mdm_v_store(s + i, p);
    }
    *total += mdm_v_sum(weight);
}

/* What the tail would come to is used nowhere, but may be anything. */
void SET(mdm_weigh)(float *s, int64_t keys, float lse)
{
    const mdm_vec top = mdm_v_set(lse);

    hide_tail(s, keys);
    for (int64_t i = 0; i < keys; i += MDM_LANES)
        mdm_v_store(s + i, mdm_v_exp2(mdm_v_load(s + i) - top));
}

void SET(mdm_slope)(float *ds, const float *p, int64_t keys, float delta)
{
    const mdm_vec mean = mdm_v_set(delta);

    for (int64_t i = 0; i < keys; i += MDM_LANES)
        mdm_v_store(ds + i, mdm_v_load(p + i) * (mdm_v_load(ds + i) - mean));
}

float SET(mdm_dot)(const float *a, const float *b, int64_t n)
{
    mdm_vec s = mdm_v_set(0);
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES)
        s = mdm_v_fma(mdm_v_load(a + i), mdm_v_load(b + i), s);
    if (i < n)
        s = mdm_v_fma(mdm_v_load_some(a + i, mdm_v_first(n - i)), mdm_v_load_some(b + i, mdm_v_first(n - i)), s);
    return mdm_v_sum(s);
}

static inline mdm_vec sum_parts(const float *part, int64_t stride, int64_t count, mdm_some k)
{
    mdm_vec s = mdm_v_load_some(part, k);

    for (int64_t g = 1; g < count; g++)
        s = s + mdm_v_load_some(part + g * stride, k);
    return s;
}

void SET(mdm_sum)(float *out, const float *part, int64_t stride, int64_t count, int64_t n, int add)
{
    for (int64_t i = 0; i < n; i += MDM_LANES) {
        const mdm_some k = mdm_v_first(n - i);
        const mdm_vec s = sum_parts(part + i, stride, count, k);

        mdm_v_store_some(out + i, k, add ? mdm_v_plus(mdm_v_load_some(out + i, k), s) : s);
    }
}
