/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loss's runs on vectors of doubles. What is left at the end of a run goes the portable way.
 */
#include "backend/cpu/loss.h"

#include "backend/cpu/vector/rows.h"

typedef mdm_wide (*cost)(mdm_wide d, mdm_wide delta, mdm_wide *slope);

static inline mdm_wide square(mdm_wide d, mdm_wide delta, mdm_wide *slope)
{
    (void)delta;
    *slope = d + d;
    return d * d;
}

/* Both bounds keep what is NaN, which stands second. */
static inline mdm_wide bound(mdm_wide d, mdm_wide most)
{
    return mdm_w_min(most, mdm_w_max(mdm_w_set(0) - most, d));
}

/* What is NaN stays one by the last term. */
static inline mdm_wide absolute(mdm_wide d, mdm_wide delta, mdm_wide *slope)
{
    const mdm_wide zero = mdm_w_set(0), one = mdm_w_set(1);

    (void)delta;
    *slope = mdm_w_pick(d, zero, zero, one) - mdm_w_pick(zero, d, zero, one) + zero * d;
    return mdm_w_abs(d);
}

static inline mdm_wide huber(mdm_wide d, mdm_wide delta, mdm_wide *slope)
{
    const mdm_wide half = mdm_w_set(0.5), a = mdm_w_abs(d);

    *slope = bound(d, delta);
    return mdm_w_pick(a, delta, half * (d * d), delta * (a - half * delta));
}

static inline mdm_wide smooth_absolute(mdm_wide d, mdm_wide delta, mdm_wide *slope)
{
    const mdm_wide sum = huber(d, delta, slope);

    *slope = *slope / delta;
    return sum / delta;
}

static inline mdm_wide pseudo_huber(mdm_wide d, mdm_wide delta, mdm_wide *slope)
{
    const mdm_wide squares = d * d, root = mdm_w_sqrt(squares + delta * delta);

    *slope = d / root;
    return squares / (root + delta);
}

static inline __attribute__((always_inline)) int64_t compare(double *sum, float *dpred, const float *pred,
                                                             const float *target, int64_t n, double delta,
                                                             double scale, cost of)
{
    const mdm_wide wide = mdm_w_set(delta), factor = mdm_w_set(scale);
    mdm_wide total = mdm_w_set(0), slope;
    int64_t i = 0;

    for (; i + MDM_WIDE_LANES <= n; i += MDM_WIDE_LANES) {
        total = total + of(mdm_w_load(pred + i) - mdm_w_load(target + i), wide, &slope);
        if (dpred)
            mdm_w_store(dpred + i, factor * slope);
    }
    *sum += mdm_w_sum(total);
    return i;
}

#define RUN(name, of, kind)                                                                                          \
    static void name(double *sum, float *dpred, const float *pred, const float *target, int64_t n, double delta,     \
                     double scale)                                                                                   \
    {                                                                                                                \
        const int64_t i = compare(sum, dpred, pred, target, n, delta, scale, of);                                    \
                                                                                                                     \
        mdm_loss_runs_c[kind](sum, dpred ? dpred + i : NULL, pred + i, target + i, n - i, delta, scale);             \
    }
RUN(run_l2, square, MDM_LOSS_L2)
RUN(run_l1, absolute, MDM_LOSS_L1)
RUN(run_huber, huber, MDM_LOSS_HUBER)
RUN(run_smooth_l1, smooth_absolute, MDM_LOSS_SMOOTH_L1)
RUN(run_pseudo_huber, pseudo_huber, MDM_LOSS_PSEUDO_HUBER)

const mdm_loss_run SET(mdm_loss_runs)[MDM_LOSSES] = {
    [MDM_LOSS_L2] = run_l2,
    [MDM_LOSS_L1] = run_l1,
    [MDM_LOSS_HUBER] = run_huber,
    [MDM_LOSS_SMOOTH_L1] = run_smooth_l1,
    [MDM_LOSS_PSEUDO_HUBER] = run_pseudo_huber,
    [MDM_LOSS_PSEUDO_HUBER_IMAGE] = run_l2,
};
