/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ancestral sampling (Ho et al. 2020, algorithm 2), on the discrete process: every time is visited; the mean of
 * q(x_{t-1} | x_t, x0) at the clipped x0, plus noise of the posterior variance.
 */
#include "base/error.h"
#include "diffusion/discrete.h"
#include "diffusion/method.h"

#include <math.h>

static const struct mdm_option_table table = {"ddpm", "", "every time of the discrete process", NULL, 0, 0};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    const struct mdm_process *p = s->scheduler->process;
    const struct mdm_schedule *schedule = mdm_discrete_schedule(p);

    (void)options;
    if (!schedule)
        return mdm_fail(MASKDM_EINVAL, "sampler ddpm has no meaning for process %s: it visits whole times",
                        p->kind->name);
    s->steps = schedule->timesteps;
    return MASKDM_OK;
}

static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_schedule *schedule = mdm_discrete_schedule(s->scheduler->process);
    const double time = s->time[e], next = s->time[e + 1];
    const int64_t t = (int64_t)time;

    if (time != floor(time) || next != time - 1)
        return mdm_fail(MASKDM_EINVAL, "ddpm steps from a whole time to the one before, not from %g to %g", time,
                        next);
    *out = (struct mdm_evaluation){.step = e, .time = time, .before_x = 1};
    out->next = (struct mdm_terms){.x0 = schedule->coef1[t], .x = schedule->coef2[t]};
    out->next.z = t ? sqrt(fmax(schedule->variance[t], 1e-20)) : 0;
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_ddpm = {
    .name = "ddpm", .options = &table, .read = read, .evaluation = evaluation};
