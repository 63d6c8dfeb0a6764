/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums and products of rows on vectors.
 */
#include "backend/cpu/vector/rows.h"

void SET(mdm_add)(float *y, const float *a, const float *b, int64_t n)
{
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES)
        mdm_v_store(y + i, mdm_v_load(a + i) + mdm_v_load(b + i));
    if (i < n) {
        mdm_some k = mdm_v_first(n - i);
        mdm_v_store_some(y + i, k, mdm_v_load_some(a + i, k) + mdm_v_load_some(b + i, k));
    }
}

void SET(mdm_mul_add)(float *y, const float *a, const float *b, const float *c, int64_t n)
{
    const mdm_vec zero = mdm_v_set(0);
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES)
        mdm_v_store(y + i, mdm_v_fma(mdm_v_load(b + i), mdm_v_load(c + i), a ? mdm_v_load(a + i) : zero));
    if (i < n) {
        mdm_some k = mdm_v_first(n - i);
        mdm_v_store_some(
            y + i, k,
            mdm_v_fma(mdm_v_load_some(b + i, k), mdm_v_load_some(c + i, k), a ? mdm_v_load_some(a + i, k) : zero));
    }
}

static inline mdm_vec modulate_vec(mdm_vec x, mdm_vec scale, mdm_vec shift)
{
    return mdm_v_fma(x, mdm_v_set(1) + scale, shift);
}

void SET(mdm_modulate)(float *y, const float *x, const float *scale, const float *shift, int64_t n)
{
    int64_t i = 0;

    for (; i + MDM_LANES <= n; i += MDM_LANES)
        mdm_v_store(y + i, modulate_vec(mdm_v_load(x + i), mdm_v_load(scale + i), mdm_v_load(shift + i)));
    if (i < n) {
        mdm_some k = mdm_v_first(n - i);
        mdm_v_store_some(
            y + i, k,
            modulate_vec(mdm_v_load_some(x + i, k), mdm_v_load_some(scale + i, k), mdm_v_load_some(shift + i, k)));
    }
}
