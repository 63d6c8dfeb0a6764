/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ancestral sampling (Ho et al. 2020, algorithm 2): every time is visited; the mean of q(x_{t-1} | x_t, x0) at the
 * clipped x0, plus noise of the posterior variance.
 */
#include "diffusion/solver.h"
#include "util/error.h"

#include <math.h>

static int64_t steps_ddpm(const maskdm_scheduler *s, const struct maskdm_solving *how)
{
    (void)how;
    return s->schedule.timesteps;
}

static int64_t time_ddpm(const maskdm_scheduler *s, const struct maskdm_solving *how, int64_t i)
{
    (void)how;
    return s->schedule.timesteps - 1 - i;
}

static int factors_ddpm(const maskdm_scheduler *s, const struct maskdm_solving *how, int64_t t, int64_t next,
                        struct maskdm_factors *out)
{
    (void)how;
    if (next != t - 1)
        return maskdm_fail(MASKDM_EINVAL, "ddpm steps from %lld to %lld, not to %lld", (long long)t,
                           (long long)(t - 1), (long long)next);
    out->x0 = s->schedule.coef1[t];
    out->eps = 0;
    out->x = s->schedule.coef2[t];
    out->noise = t ? sqrt(fmax(s->schedule.variance[t], 1e-20)) : 0;
    return MASKDM_OK;
}

const struct maskdm_solver maskdm_solver_ddpm = {"ddpm", steps_ddpm, time_ddpm, factors_ddpm};
