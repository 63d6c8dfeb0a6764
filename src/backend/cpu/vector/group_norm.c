/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rows of group norm on vectors.
 */
#include "backend/cpu/vector/rows.h"

static inline mdm_vec load(const float *x, mdm_some lanes, int whole)
{
    return whole ? mdm_v_load(x) : mdm_v_load_some(x, lanes);
}

static inline void store(float *x, mdm_some lanes, int whole, mdm_vec value)
{
    if (whole)
        mdm_v_store(x, value);
    else
        mdm_v_store_some(x, lanes, value);
}

void SET(mdm_affine)(float *y, const float *x, const float *mean, const float *scale, const float *shift, int64_t n)
{
    for (int64_t i = 0; i < n; i += MDM_LANES) {
        const int whole = n - i >= MDM_LANES;
        const mdm_some k = mdm_v_first(n - i);
        const mdm_vec away = load(x + i, k, whole) - load(mean + i, k, whole);

        store(y + i, k, whole, mdm_v_fma(away, load(scale + i, k, whole), load(shift + i, k, whole)));
    }
}

void SET(mdm_moment)(float *y, const float *a, const float *x, const float *mean, int64_t n)
{
    for (int64_t i = 0; i < n; i += MDM_LANES) {
        const int whole = n - i >= MDM_LANES;
        const mdm_some k = mdm_v_first(n - i);
        const mdm_vec away = load(x + i, k, whole) - load(mean + i, k, whole);

        store(y + i, k, whole, mdm_v_fma(a ? load(a + i, k, whole) : away, away, load(y + i, k, whole)));
    }
}
