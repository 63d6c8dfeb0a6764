/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2): the probability flow in h, the step of half the
 * log signal-to-noise ratio, with the clean image taken as linear over the last two steps. Its first step is of first
 * order, and so is the last of fewer than ten, as its authors have it; that order alone is DDIM at eta 0.
 *
 * Times are continuous, the schedule's log sqrt(abar) linear between whole ones, and run from T-1 to 0, where the
 * noise that is left is that of the first beta: the last x is the image.
 */
#include "base/error.h"
#include "diffusion/solver.h"

#include <math.h>

enum { FEW_STEPS = 10 };

static int64_t steps_dpmpp(const maskdm_scheduler *s, const struct mdm_solver *how)
{
    if (s->schedule.timesteps < 2)
        return mdm_fail(MASKDM_EINVAL, "dpmpp needs a schedule of at least 2 timesteps");
    return how->steps;
}

static double noise_of(double log_signal)
{
    return sqrt(-expm1(2 * log_signal));
}

/* lambda = log(signal / noise) */
static double half_log_ratio(const maskdm_scheduler *s, double t)
{
    const double log_signal = mdm_schedule_log_signal(&s->schedule, t);

    return log_signal - log(noise_of(log_signal));
}

static double time_dpmpp(const maskdm_scheduler *s, const struct mdm_solver *how, int64_t i)
{
    const double last = (double)(s->schedule.timesteps - 1), share = (double)i / (double)how->steps;
    double first_ratio, ratio;

    if (i == 0 || i == how->steps)
        return i ? 0 : last;
    if (!how->logsnr)
        return last * (1 - share);
    first_ratio = half_log_ratio(s, last);
    ratio = first_ratio + share * (half_log_ratio(s, 0) - first_ratio);
    /* signal^2 = 1 / (1 + exp(-2 lambda)) */
    return mdm_schedule_time(&s->schedule, -0.5 * log1p(exp(-2 * ratio)));
}

static int factors_dpmpp(const maskdm_scheduler *s, const struct mdm_solver *how, const struct mdm_stride *at,
                         struct mdm_factors *out)
{
    double log_next, step, gain, noise = noise_of(mdm_schedule_log_signal(&s->schedule, at->time));

    *out = (struct mdm_factors){.x0 = 1};
    if (at->next < 0)
        return MASKDM_OK;
    log_next = mdm_schedule_log_signal(&s->schedule, at->next);
    step = half_log_ratio(s, at->next) - half_log_ratio(s, at->time);
    gain = -exp(log_next) * expm1(-step);
    out->x = noise_of(log_next) / noise;
    out->x0 = gain;
    if (at->before >= 0 && !(at->next == 0 && how->steps < FEW_STEPS)) {
        const double slope = gain / 2 * step / (half_log_ratio(s, at->time) - half_log_ratio(s, at->before));

        out->x0 += slope;
        out->before = -slope;
    }
    return MASKDM_OK;
}

const struct mdm_solver_class mdm_solver_dpmpp = {"dpmpp", steps_dpmpp, time_dpmpp, factors_dpmpp};
