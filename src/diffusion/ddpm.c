/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ancestral sampling (Ho et al. 2020, algorithm 2): every time is visited; the mean of q(x_{t-1} | x_t, x0) at the
 * clipped x0, plus noise of the posterior variance.
 */
#include "base/error.h"
#include "diffusion/solver.h"

#include <math.h>

static int64_t steps_ddpm(const maskdm_scheduler *s, const struct mdm_solver *how)
{
    (void)how;
    return s->schedule.timesteps;
}

static double time_ddpm(const maskdm_scheduler *s, const struct mdm_solver *how, int64_t i)
{
    (void)how;
    return (double)(s->schedule.timesteps - 1 - i);
}

static int factors_ddpm(const maskdm_scheduler *s, const struct mdm_solver *how, const struct mdm_stride *at,
                        struct mdm_factors *out)
{
    int64_t t, next;

    (void)how;
    MDM_TRY(mdm_solver_whole(s, at, &t, &next));
    if (next != t - 1)
        return mdm_fail(MASKDM_EINVAL, "ddpm steps from %lld to %lld, not to %lld", (long long)t, (long long)(t - 1),
                        (long long)next);
    *out = (struct mdm_factors){.x0 = s->schedule.coef1[t], .x = s->schedule.coef2[t]};
    out->noise = t ? sqrt(fmax(s->schedule.variance[t], 1e-20)) : 0;
    return MASKDM_OK;
}

const struct mdm_solver_class mdm_solver_ddpm = {"ddpm", steps_ddpm, time_ddpm, factors_ddpm};
