/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all solvers share: their table, their options, and the step.
 */
#include "diffusion/solver.h"

#include "base/error.h"
#include "option/option.h"

#include <math.h>
#include <string.h>

static const struct mdm_solver_class *const solvers[] = {&mdm_solver_ddim, &mdm_solver_ddpm, &mdm_solver_dpmpp};

int mdm_solver_make(struct mdm_solver *out, const maskdm_options *options)
{
    const char *name = mdm_options_string(options, "sampler");

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < MDM_LENGTH(solvers); i++)
        if (!strcmp(solvers[i]->name, name))
            out->solver = solvers[i];
    if (!out->solver)
        return mdm_fail(MASKDM_EINVAL, "there is no sampler \"%s\"", name);
    out->steps = mdm_options_int(options, "steps");
    out->eta = mdm_options_float(options, "eta");
    out->logsnr = !strcmp(mdm_options_string(options, "spacing"), "logsnr");
    out->clip = mdm_options_bool(options, "clip");
    return MASKDM_OK;
}

struct mdm_stride mdm_solver_stride(const maskdm_scheduler *s, const struct mdm_solver *how, int64_t i)
{
    double (*time)(const maskdm_scheduler *, const struct mdm_solver *, int64_t) = how->solver->time;

    return (struct mdm_stride){i ? time(s, how, i - 1) : -1, time(s, how, i), time(s, how, i + 1)};
}

int mdm_solver_is_noisy(const maskdm_scheduler *s, const struct mdm_solver *how)
{
    const int64_t steps = how->solver->steps(s, how);

    for (int64_t i = 0; i < steps; i++) {
        const struct mdm_stride at = mdm_solver_stride(s, how, i);
        struct mdm_factors f;

        if (!how->solver->factors(s, how, &at, &f) && f.noise != 0)
            return 1;
    }
    return 0;
}

int mdm_solver_whole(const maskdm_scheduler *s, const struct mdm_stride *at, int64_t *t, int64_t *next)
{
    *next = -1;
    MDM_TRY(mdm_scheduler_time(s, at->time, t));
    return at->next == -1 ? MASKDM_OK : mdm_scheduler_time(s, at->next, next);
}

/* Written so that a NaN fails each comparison. */
static int check(const maskdm_scheduler *s, const struct mdm_stride *at)
{
    const double last = (double)(s->schedule.timesteps - 1);

    if (!(at->time >= 0 && at->time <= last))
        return mdm_fail(MASKDM_EINVAL, "time %g is outside 0 .. %g", at->time, last);
    if (!(at->next == -1 || (at->next >= 0 && at->next < at->time)))
        return mdm_fail(MASKDM_EINVAL, "a step goes to an earlier time or to -1, not from %g to %g", at->time,
                        at->next);
    if (!(at->before == -1 || (at->before > at->time && at->before <= last)))
        return mdm_fail(MASKDM_EINVAL, "the step before one from %g came from a later time up to %g, not from %g",
                        at->time, last, at->before);
    return MASKDM_OK;
}

/* Per element in double and rounded once: at the noisy end the factors reach 2e4 and cancel. */
int mdm_solver_step(const maskdm_scheduler *s, const struct mdm_solver *how, const struct mdm_move *m)
{
    struct mdm_factors f;
    double abar, signal, noise, clean_x, clean_p;

    MDM_TRY(check(s, &m->at));
    MDM_TRY(how->solver->factors(s, how, &m->at, &f));
    if (f.noise != 0 && !m->noise)
        return mdm_fail(MASKDM_EINVAL, "%s needs noise for the step from %g to %g", how->solver->name, m->at.time,
                        m->at.next);
    if (f.before != 0 && !m->x0_before)
        return mdm_fail(MASKDM_EINVAL, "%s needs the clean image of the step from %g for the one from %g",
                        how->solver->name, m->at.before, m->at.time);
    abar = mdm_schedule_abar(&s->schedule, m->at.time);
    signal = sqrt(abar);
    noise = sqrt(1 - abar);
    s->prediction->clean(abar, &clean_x, &clean_p);
    for (int64_t i = 0; i < m->batch * m->n; i++) {
        const double x = (double)m->x[i], p = (double)m->prediction[i];
        double x0 = clean_x * x + clean_p * p, y;

        if (how->clip)
            x0 = x0 < -1 ? -1 : x0 > 1 ? 1 : x0;
        y = f.x0 * x0 + f.x * x;
        if (f.eps != 0)
            y += f.eps * (s->prediction->is_noise ? p : (x - signal * x0) / noise);
        if (f.noise != 0)
            y += f.noise * (double)m->noise[i];
        if (f.before != 0)
            y += f.before * (double)m->x0_before[i];
        m->x[i] = (float)y;
        if (m->x0)
            m->x0[i] = (float)x0;
    }
    return MASKDM_OK;
}
