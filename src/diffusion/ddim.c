/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DDIM (Song et al. 2021, eq. 12 and 16): any subset of the times, and any eta between the deterministic 0 and 1,
 * which over all T times is ancestral sampling.
 */
#include "base/error.h"
#include "diffusion/solver.h"

#include <math.h>

static int64_t steps_ddim(const maskdm_scheduler *s, const struct mdm_solver *how)
{
    if (how->steps < 1 || how->steps > s->schedule.timesteps)
        return mdm_fail(MASKDM_EINVAL, "%lld sampling steps; the schedule allows 1 to %lld", (long long)how->steps,
                        (long long)s->schedule.timesteps);
    return how->steps;
}

/* linspace(-1, T-1, S+1) truncated, from its end, in whole numbers: value k is k T / S - 1, and only the first lies
 * below 0, where truncating would not round down. */
static double time_ddim(const maskdm_scheduler *s, const struct mdm_solver *how, int64_t i)
{
    return (double)((how->steps - i) * s->schedule.timesteps / how->steps - 1);
}

static int factors_ddim(const maskdm_scheduler *s, const struct mdm_solver *how, const struct mdm_stride *at,
                        struct mdm_factors *out)
{
    double a, b, sigma;
    int64_t t, next;

    *out = (struct mdm_factors){.x0 = 1};
    MDM_TRY(mdm_solver_whole(s, at, &t, &next));
    if (next < 0)
        return MASKDM_OK;
    a = s->schedule.abar[t];
    b = s->schedule.abar[next];
    sigma = how->eta * sqrt((1 - a / b) * (1 - b) / (1 - a));
    if (!(1 - b - sigma * sigma >= 0))
        return mdm_fail(MASKDM_EINVAL, "eta %g is too large for the step from %lld to %lld: %g at most", how->eta,
                        (long long)t, (long long)next, sqrt((1 - a) / (1 - a / b)));
    out->x0 = sqrt(b);
    out->eps = sqrt(1 - b - sigma * sigma);
    out->noise = sigma;
    return MASKDM_OK;
}

const struct mdm_solver_class mdm_solver_ddim = {"ddim", steps_ddim, time_ddim, factors_ddim};
