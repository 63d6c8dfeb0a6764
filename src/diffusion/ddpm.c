/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ancestral sampling (Ho et al. 2020, algorithm 2): the mean of q(x_s | x_t, x0) at the clipped x0, and noise of the
 * posterior's variance or of the step's own. All that it needs of the process are the levels at both ends, so it
 * steps between any two times; over neighbours the tables of the discrete process have the same numbers, ready.
 */
#include "base/error.h"
#include "diffusion/discrete.h"
#include "diffusion/method.h"

#include <math.h>

enum { STEPS = 1000 }; /* where time is continuous and no number of steps is said */

struct options {
    int64_t steps;
    unsigned variance;
};

static const struct mdm_option rows[] = {
    {MDM_STEPS(options, NULL)},
    {MDM_CHOICE(options, variance), .standard = "fixed_small", .choices = "fixed_small|fixed_large",
     .alias = "variance_type",
     .help = "of the noise in each step: the posterior's given the image, or beta, which is a little more"},
};
static const struct mdm_option_table table = {"ddpm",
                                              "",
                                              "ancestral sampling, over every time where no steps are said",
                                              rows,
                                              MDM_LENGTH(rows),
                                              sizeof(struct options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    const struct mdm_schedule *schedule = mdm_discrete_schedule(s->scheduler->process);
    struct options o;

    mdm_options_read(options, &table, &o);
    s->steps = o.steps ? o.steps : schedule ? schedule->timesteps : STEPS;
    s->large_variance = o.variance != 0;
    return MASKDM_OK;
}

/* x0, x and z of the step; z is that of the variance. */
static struct mdm_terms posterior(const struct mdm_method *s, struct mdm_stop from, struct mdm_stop to)
{
    const struct mdm_schedule *schedule = mdm_discrete_schedule(s->scheduler->process);
    const double gone = -expm1(2 * (to.ratio - from.ratio)); /* share of the step in the noise's variance */
    const double left = to.level.noise * to.level.noise / (from.level.noise * from.level.noise);
    const double step = from.level.noise * from.level.noise * gone;
    struct mdm_terms out = {.x0 = to.level.signal * gone,
                            .x = from.level.signal / to.level.signal * left,
                            .z = s->large_variance ? step : step * left};

    if (schedule && from.time == floor(from.time) && to.time == from.time - 1) {
        const int64_t t = (int64_t)from.time;

        out.x0 = schedule->coef1[t];
        out.x = schedule->coef2[t];
        if (!s->large_variance)
            out.z = schedule->variance[t];
    }
    return out;
}

/* Noise is left out at the image alone; on a table, where that is time 0, its least is as diffusers has it. */
static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_process *p = s->scheduler->process;
    const struct mdm_stop from = s->way[e].from, to = s->way[e].to;
    const int last = mdm_discrete_schedule(p) ? from.time == 0 : to.level.noise == 0;

    *out = (struct mdm_evaluation){.step = e, .at = from, .before_x = 1, .next = posterior(s, from, to)};
    out->next.z = last ? 0 : sqrt(fmax(out->next.z, 1e-20));
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_ddpm = {
    .name = "ddpm", .options = &table, .read = read, .evaluation = evaluation};
