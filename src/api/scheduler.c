/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/scheduler.h: validate and forward.
 */
#include "diffusion/scheduler.h"

#include "api/argument.h"
#include "base/checked.h"
#include "diffusion/solver.h"
#include "sample/options.h"

#include <string.h>

int maskdm_scheduler_create(maskdm_scheduler **out, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_scheduler_create(out, options));
}

void maskdm_scheduler_release(maskdm_scheduler **scheduler)
{
    if (scheduler)
        mdm_scheduler_drop(scheduler);
}

int64_t maskdm_scheduler_timesteps(const maskdm_scheduler *scheduler)
{
    MDM_NEED(scheduler);
    return scheduler->schedule.timesteps;
}

const char *maskdm_scheduler_prediction(const maskdm_scheduler *scheduler)
{
    MDM_NEED_OR(scheduler, NULL);
    return scheduler->prediction->name;
}

int maskdm_scheduler_table(const maskdm_scheduler *scheduler, const char *name, double *out, int64_t count)
{
    const double *table;

    MDM_NEED(scheduler);
    MDM_NEED(name);
    MDM_NEED(out);
    table = mdm_schedule_table(&scheduler->schedule, name);
    if (!table)
        return mdm_fail(MASKDM_ENOTFOUND, "a scheduler has no table \"%s\"", name);
    if (count != scheduler->schedule.timesteps)
        return mdm_fail(MASKDM_EINVAL, "room for %lld values of a table of %lld", (long long)count,
                        (long long)scheduler->schedule.timesteps);
    memcpy(out, table, (size_t)count * sizeof *out);
    return MASKDM_OK;
}

/* That batch images of n values can be counted. */
static int check_images(const char *function, int64_t batch, int64_t n)
{
    int64_t all;

    if (batch < 0 || n < 0 || mdm_mul_i64(&all, batch, n) || all > INT64_MAX / (int64_t)sizeof(double))
        return mdm_fail(MASKDM_EINVAL, "%s: %lld images of %lld values are out of range", function, (long long)batch,
                        (long long)n);
    return MASKDM_OK;
}

/* Arrays of values may be NULL where there are none. */
#define NEED_VALUES(array) MDM_NEED_ARRAY(array, n > 0 ? batch : 0)

int maskdm_scheduler_draw_times(const maskdm_scheduler *scheduler, uint64_t seed, int64_t first, int64_t step,
                                int64_t count, double *times)
{
    MDM_NEED(scheduler);
    MDM_NEED_COUNT(first);
    MDM_NEED_COUNT(step);
    MDM_TRY(check_images(__func__, count, 1));
    MDM_NEED_ARRAY(times, count);
    mdm_scheduler_draw_times(scheduler, seed, first, step, count, times);
    return MASKDM_OK;
}

int maskdm_scheduler_draw_noise(const maskdm_scheduler *scheduler, uint64_t seed, int64_t first, int64_t step,
                                int64_t count, int64_t n, float *noise)
{
    MDM_NEED(scheduler);
    MDM_NEED_COUNT(first);
    MDM_NEED_COUNT(step);
    MDM_TRY(check_images(__func__, count, n));
    MDM_NEED_ARRAY(noise, n > 0 ? count : 0);
    mdm_scheduler_draw_noise(seed, first, step, count, n, noise);
    return MASKDM_OK;
}

/* out = a[b] x0 + b[b] eps, image by image; nothing is written before every time was checked. */
static int combine(const maskdm_scheduler *s, int64_t batch, int64_t n, const float *x0, const float *noise,
                   const double *times, float *out, int target)
{
    double a, e;

    MDM_TRY(mdm_scheduler_factors(s, batch, times, NULL, NULL, NULL, NULL));
    for (int64_t b = 0; b < batch; b++) {
        MDM_TRY(mdm_scheduler_factors(s, 1, times + b, target ? NULL : &a, target ? NULL : &e, target ? &a : NULL,
                                      target ? &e : NULL));
        for (int64_t i = b * n; i < (b + 1) * n; i++)
            out[i] = (float)(a * (double)x0[i] + e * (double)noise[i]);
    }
    return MASKDM_OK;
}

int maskdm_scheduler_add_noise(const maskdm_scheduler *scheduler, int64_t batch, int64_t n, const float *x0,
                               const float *noise, const double *times, float *x_t)
{
    MDM_NEED(scheduler);
    MDM_TRY(check_images(__func__, batch, n));
    NEED_VALUES(x0);
    NEED_VALUES(noise);
    MDM_NEED_ARRAY(times, batch);
    NEED_VALUES(x_t);
    return combine(scheduler, batch, n, x0, noise, times, x_t, 0);
}

int maskdm_scheduler_target(const maskdm_scheduler *scheduler, int64_t batch, int64_t n, const float *x0,
                            const float *noise, const double *times, float *target)
{
    MDM_NEED(scheduler);
    MDM_TRY(check_images(__func__, batch, n));
    NEED_VALUES(x0);
    NEED_VALUES(noise);
    MDM_NEED_ARRAY(times, batch);
    NEED_VALUES(target);
    return combine(scheduler, batch, n, x0, noise, times, target, 1);
}

static int read_sampler(struct mdm_solver *out, const maskdm_options *sampler)
{
    struct mdm_work work = {0};
    maskdm_options *o;
    int status;

    MDM_TRY(mdm_work_share(&work, mdm_options_handle(sampler)));
    MDM_TRY(mdm_work_end(&work, mdm_options_extract(&o, sampler, &mdm_sampler_kind)));
    status = mdm_solver_make(out, o);
    mdm_options_release(&o);
    return status;
}

int64_t maskdm_scheduler_times(const maskdm_scheduler *scheduler, const maskdm_options *sampler, double *times,
                               int64_t capacity)
{
    struct mdm_solver how;
    int64_t steps;

    MDM_NEED(scheduler);
    MDM_NEED_ARRAY(times, capacity);
    MDM_TRY(read_sampler(&how, sampler));
    steps = how.solver->steps(scheduler, &how);
    for (int64_t i = 0; i <= steps && i < capacity; i++)
        times[i] = how.solver->time(scheduler, &how, i);
    return steps;
}

static int step(const maskdm_scheduler *scheduler, const maskdm_options *sampler, const struct mdm_move *move)
{
    struct mdm_solver how;

    MDM_TRY(read_sampler(&how, sampler));
    return mdm_solver_step(scheduler, &how, move);
}

int maskdm_scheduler_step(const maskdm_scheduler *scheduler, const maskdm_options *sampler, double time,
                          double next_time, int64_t batch, int64_t n, float *x, const float *prediction,
                          const float *noise, float *x0)
{
    const struct mdm_move move = {{-1, time, next_time}, batch, n, x, prediction, noise, NULL, x0};

    MDM_NEED(scheduler);
    MDM_TRY(check_images(__func__, batch, n));
    NEED_VALUES(x);
    NEED_VALUES(prediction);
    return step(scheduler, sampler, &move);
}

int maskdm_scheduler_step_after(const maskdm_scheduler *scheduler, const maskdm_options *sampler, double before,
                                const float *x0_before, double time, double next_time, int64_t batch, int64_t n,
                                float *x, const float *prediction, const float *noise, float *x0)
{
    const struct mdm_move move = {{before, time, next_time}, batch, n, x, prediction, noise, x0_before, x0};

    MDM_NEED(scheduler);
    MDM_TRY(check_images(__func__, batch, n));
    NEED_VALUES(x);
    NEED_VALUES(prediction);
    return step(scheduler, sampler, &move);
}
