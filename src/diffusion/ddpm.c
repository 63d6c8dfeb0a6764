/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ancestral sampling (Ho et al. 2020, algorithm 2): the mean of q(x_s | x_t, x0) at the clipped x0, and noise of the
 * posterior's variance, of the step's own, or of one between the two that the network says for each value (Nichol and
 * Dhariwal 2021, arXiv 2102.09672, eq. 15). All that it needs of the process are the levels at both ends, so it
 * steps between any two times; over neighbours the tables of the discrete process have the same numbers, ready.
 */
#include "base/error.h"
#include "diffusion/discrete.h"
#include "diffusion/method.h"

#include <math.h>

enum { STEPS = 1000 }; /* where time is continuous and no number of steps is said */
enum { SMALL, LARGE, LEARNED }; /* variance */

struct options {
    int64_t steps;
    unsigned variance;
};

static const struct mdm_option rows[] = {
    {MDM_STEPS(options, NULL)},
    {MDM_CHOICE(options, variance), .standard = "fixed_small", .choices = "fixed_small|fixed_large|learned_range",
     .alias = "variance_type|learn_sigma",
     .help = "of the noise in each step: the posterior's given the image; beta, which is a little more; or between "
             "them, where a network made with learn_sigma says"},
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
    s->large_variance = o.variance == LARGE;
    s->learned_variance = o.variance == LEARNED;
    return MASKDM_OK;
}

/* What the step's noise has of its own: beta. */
static double step_variance(struct mdm_stop from, struct mdm_stop to)
{
    return from.level.noise * from.level.noise * -expm1(2 * (to.ratio - from.ratio));
}

/* x0, x and z of the step; z is that of the variance. */
static struct mdm_terms posterior(const struct mdm_method *s, struct mdm_stop from, struct mdm_stop to)
{
    const struct mdm_schedule *schedule = mdm_discrete_schedule(s->scheduler->process);
    const double gone = -expm1(2 * (to.ratio - from.ratio)); /* share of the step in the noise's variance */
    const double left = to.level.noise * to.level.noise / (from.level.noise * from.level.noise);
    const double step = step_variance(from, to);
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

/* ln of the deviation at v = -1 and at 1 is half of that of both variances. */
static struct mdm_pair between(double small, double large)
{
    const double low = log(small), high = log(large);

    return (struct mdm_pair){(high + low) / 4, (high - low) / 4};
}

static const double least = 1e-20; /* of a variance, as diffusers has it */

/* Noise is left out at the image alone, which on a table is time 0. */
static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_process *p = s->scheduler->process;
    const struct mdm_stop from = s->way[e].from, to = s->way[e].to;
    const int last = mdm_discrete_schedule(p) ? from.time == 0 : to.level.noise == 0;

    *out = (struct mdm_evaluation){.step = e, .at = from, .before_x = 1, .next = posterior(s, from, to)};
    if (s->learned_variance)
        out->spread = between(fmax(out->next.z, least), step_variance(from, to));
    out->next.z = last ? 0 : s->learned_variance ? 1 : sqrt(fmax(out->next.z, least));
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_ddpm = {
    .name = "ddpm", .options = &table, .read = read, .evaluation = evaluation};
