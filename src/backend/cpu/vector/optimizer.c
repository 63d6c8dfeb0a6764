/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The optimizer's spans on vectors. What is left at the end of a span goes the portable way.
 */
#include "backend/cpu/vector/rows.h"

double SET(mdm_sum_squares)(const float *x, size_t n)
{
    mdm_wide s[4];
    size_t i = 0;

    for (int k = 0; k < 4; k++)
        s[k] = mdm_w_set(0);
    for (; i + 2 * MDM_LANES <= n; i += 2 * MDM_LANES)
        for (int k = 0; k < 4; k++) {
            mdm_wide v = mdm_w_load(x + i + MDM_WIDE_LANES * k);
            s[k] = mdm_w_fma(v, v, s[k]);
        }
    return mdm_w_sum(s[0] + s[1] + (s[2] + s[3])) + mdm_cpu_sum_squares_c(x + i, n - i);
}

void SET(mdm_optimizer)(const struct mdm_optimizer *a, size_t from, size_t to)
{
    const mdm_vec scale = mdm_v_set((float)a->grad_scale), step = mdm_v_set((float)(a->lr / a->bias1));
    const mdm_vec keep = mdm_v_set((float)(1 - a->lr * a->weight_decay)), eps = mdm_v_set((float)a->eps);
    const mdm_vec b1 = mdm_v_set((float)a->beta1), c1 = mdm_v_set((float)(1 - a->beta1));
    const mdm_vec b2 = mdm_v_set((float)a->beta2), c2 = mdm_v_set((float)(1 - a->beta2));
    const mdm_vec root = mdm_v_set((float)(1 / sqrt(a->bias2)));
    const mdm_vec pull = mdm_v_set((float)(1 - a->ema_decay));
    size_t i = from;

    for (; i + MDM_LANES <= to; i += MDM_LANES) {
        mdm_vec g = mdm_v_load(a->g + i) * scale, w = mdm_v_load(a->w + i);
        mdm_vec m = mdm_v_fma(b1, mdm_v_load(a->m + i), c1 * g);
        mdm_vec v = mdm_v_fma(b2, mdm_v_load(a->v + i), c2 * g * g);
        mdm_vec below = mdm_v_fma(mdm_v_sqrt(v), root, eps);
        w = w * keep - step * m / below;
        mdm_v_store(a->m + i, m);
        mdm_v_store(a->v + i, v);
        mdm_v_store(a->w + i, w);
        mdm_v_store(a->g + i, mdm_v_set(0));
        if (a->ema && a->ema_mode == 1) {
            mdm_v_store(a->ema + i, w);
        } else if (a->ema && a->ema_mode == 2) {
            mdm_vec e = mdm_v_load(a->ema + i);
            /* rounded twice, as the average alone (mdm_cpu_ema) rounds: one pass or two, the bits are the same */
            mdm_v_store(a->ema + i, e + pull * (w - e));
        }
    }
    mdm_cpu_adamw_c(a, i, to);
}
