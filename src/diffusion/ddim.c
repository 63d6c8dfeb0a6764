/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DDIM (Song et al. 2021, eq. 12 and 16): any falling times, and any eta between the deterministic 0 and 1, which on
 * the discrete process over all T times is ancestral sampling. At eta 0 it is Euler's method on every process.
 */
#include "base/error.h"
#include "diffusion/discrete.h"
#include "diffusion/method.h"

#include <math.h>

struct options {
    int64_t steps;
    double eta;
};

static const struct mdm_option rows[] = {
    {MDM_STEPS(options, "50")},
    {MDM_OPTION(options, eta), .standard = "0", .min = 0, .max = 100, .alias = "ddim_eta|ddim_sampling_eta",
     .help = "share of fresh noise in each step; 0: none"},
};
static const struct mdm_option_table table = {
    "ddim", "", "steps that may skip times", rows, MDM_LENGTH(rows), sizeof(struct options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    const struct mdm_schedule *whole = mdm_discrete_schedule(s->scheduler->process);
    struct options o;

    mdm_options_read(options, &table, &o);
    s->steps = o.steps;
    s->eta = o.eta;
    if (whole && o.steps > whole->timesteps)
        return mdm_fail(MASKDM_EINVAL, "%lld sampling steps; the schedule allows 1 to %lld", (long long)o.steps,
                        (long long)whole->timesteps);
    return MASKDM_OK;
}

static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_process *p = s->scheduler->process;
    const double time = s->time[e], next = s->time[e + 1];
    const struct mdm_level a = mdm_process_at(p, time), b = mdm_process_at(p, next);
    const double left = b.noise * a.signal / (a.noise * b.signal); /* of the noise-to-signal ratio */
    const double most = b.noise * sqrt(1 - left * left), fresh = s->eta * most;

    if (fresh > b.noise)
        return mdm_fail(MASKDM_EINVAL, "eta %g is too large for the step from %g to %g: %g at most", s->eta, time,
                        next, b.noise / most);
    *out = (struct mdm_evaluation){.step = e, .time = time, .before_x = 1};
    out->next = (struct mdm_terms){.x0 = b.signal, .eps = sqrt(b.noise * b.noise - fresh * fresh), .z = fresh};
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_ddim = {
    .name = "ddim", .options = &table, .read = read, .evaluation = evaluation};
