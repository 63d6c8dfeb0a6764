/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all solvers share: their table, their options, and the step.
 */
#include "diffusion/solver.h"

#include "util/error.h"
#include "util/option.h"

#include <math.h>
#include <string.h>

static const struct maskdm_solver *const solvers[] = {&maskdm_solver_ddim, &maskdm_solver_ddpm};

int maskdm_solving_make(struct maskdm_solving *out, const maskdm_options *options)
{
    const char *name = maskdm_optionset_string(options, "sampler");

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < MASKDM_LENGTH(solvers); i++)
        if (!strcmp(solvers[i]->name, name))
            out->solver = solvers[i];
    if (!out->solver)
        return maskdm_fail(MASKDM_EINVAL, "there is no sampler \"%s\"", name);
    out->steps = maskdm_optionset_int(options, "steps");
    out->eta = maskdm_optionset_float(options, "eta");
    out->clip = maskdm_optionset_bool(options, "clip");
    return MASKDM_OK;
}

int maskdm_solving_is_noisy(const maskdm_scheduler *s, const struct maskdm_solving *how)
{
    const int64_t steps = how->solver->steps(s, how);

    for (int64_t i = 0; i < steps; i++) {
        struct maskdm_factors f;

        if (!how->solver->factors(s, how, how->solver->time(s, how, i), how->solver->time(s, how, i + 1), &f) &&
            f.noise != 0)
            return 1;
    }
    return 0;
}

static int check(const maskdm_scheduler *s, const struct maskdm_move *m, int64_t *t, int64_t *next)
{
    MASKDM_TRY(maskdm_diffusion_time(s, m->time, t));
    *next = -1;
    if (m->next != -1)
        MASKDM_TRY(maskdm_diffusion_time(s, m->next, next));
    if (*next >= *t)
        return maskdm_fail(MASKDM_EINVAL, "a step goes to an earlier time, not from %lld to %lld", (long long)*t,
                           (long long)*next);
    return MASKDM_OK;
}

/* Per element in double and rounded once: at the noisy end the factors reach 2e4 and cancel. */
int maskdm_solving_step(const maskdm_scheduler *s, const struct maskdm_solving *how, const struct maskdm_move *m)
{
    struct maskdm_factors f;
    double abar, signal, noise, clean_x, clean_p;
    int64_t t, next;

    MASKDM_TRY(check(s, m, &t, &next));
    MASKDM_TRY(how->solver->factors(s, how, t, next, &f));
    if (f.noise != 0 && !m->noise)
        return maskdm_fail(MASKDM_EINVAL, "%s needs noise for the step from %lld to %lld", how->solver->name,
                           (long long)t, (long long)next);
    abar = s->schedule.abar[t];
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
        m->x[i] = (float)y;
        if (m->x0)
            m->x0[i] = (float)x0;
    }
    return MASKDM_OK;
}
