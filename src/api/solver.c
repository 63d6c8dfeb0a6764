/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/solver.h: validate and forward.
 */
#include "diffusion/solver.h"

#include "api/argument.h"
#include "base/checked.h"

#include <math.h>

int maskdm_solver_create(maskdm_solver **out, maskdm_scheduler *scheduler, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(scheduler);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_solver_create(out, scheduler, options));
}

void maskdm_solver_release(maskdm_solver **solver)
{
    if (solver)
        mdm_solver_drop(solver);
}

int64_t maskdm_solver_evaluations(const maskdm_solver *solver)
{
    MDM_NEED(solver);
    return solver->method.evaluations;
}

int64_t maskdm_solver_draws(const maskdm_solver *solver)
{
    MDM_NEED(solver);
    return mdm_method_draws(&solver->method);
}

int64_t maskdm_solver_times(const maskdm_solver *solver, double *times, int64_t capacity)
{
    MDM_NEED(solver);
    MDM_NEED_ARRAY(times, capacity);
    for (int64_t e = 0; e < solver->method.evaluations && e < capacity; e++)
        times[e] = mdm_method_evaluation(&solver->method, e).at.time;
    return solver->method.evaluations;
}

int maskdm_solver_begin(maskdm_solver *solver, int64_t batch, int64_t n, float *x)
{
    struct mdm_work work = {0};
    int64_t values;

    MDM_NEED(solver);
    MDM_NEED(x);
    if (batch < 1 || n < 1 || mdm_mul_i64(&values, batch, n) || values > INT64_MAX / (int64_t)sizeof *x)
        return mdm_fail(MASKDM_EINVAL, "%s: %lld images of %lld values are out of range", __func__, (long long)batch,
                        (long long)n);
    MDM_TRY(mdm_work_alone(&work, &solver->handle));
    return mdm_work_end(&work, mdm_solver_begin(solver, batch, n, x));
}

int maskdm_solver_takes_noise(const maskdm_solver *solver)
{
    MDM_NEED(solver);
    return mdm_solver_takes_noise(solver);
}

int maskdm_solver_input(maskdm_solver *solver, float *x, const float *noise, float *input, double *time)
{
    struct mdm_work work = {0};

    MDM_NEED(solver);
    MDM_NEED(x);
    MDM_TRY(mdm_work_alone(&work, &solver->handle));
    return mdm_work_end(&work, mdm_solver_input(solver, x, noise, input, time));
}

double maskdm_solver_guidance(const maskdm_solver *solver)
{
    MDM_NEED_OR(solver, (double)NAN);
    return mdm_solver_guidance(solver);
}

int maskdm_solver_guide(const maskdm_solver *solver, int64_t channels, float *prediction, const float *weaker)
{
    struct mdm_work work = {0};

    MDM_NEED(solver);
    MDM_NEED(prediction);
    MDM_NEED(weaker);
    MDM_TRY(mdm_work_alone(&work, &solver->handle));
    return mdm_work_end(&work, mdm_solver_guide(solver, channels, prediction, weaker));
}

int maskdm_solver_set_variance(maskdm_solver *solver, const float *says)
{
    struct mdm_work work = {0};

    MDM_NEED(solver);
    MDM_NEED(says);
    MDM_TRY(mdm_work_alone(&work, &solver->handle));
    return mdm_work_end(&work, mdm_solver_set_variance(solver, says));
}

int maskdm_solver_step(maskdm_solver *solver, float *x, const float *prediction, const float *noise, float *x0)
{
    struct mdm_work work = {0};

    MDM_NEED(solver);
    MDM_NEED(x);
    MDM_NEED(prediction);
    MDM_TRY(mdm_work_alone(&work, &solver->handle));
    return mdm_work_end(&work, mdm_solver_step(solver, x, prediction, noise, x0));
}
