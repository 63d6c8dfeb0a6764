/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/scheduler.h: validate and forward.
 */
#include "diffusion/scheduler.h"

#include "api/argument.h"
#include "base/checked.h"
#include "diffusion/discrete.h"
#include "backend/backend.h"

#include <stddef.h>
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

const char *maskdm_scheduler_process(const maskdm_scheduler *scheduler)
{
    MDM_NEED_OR(scheduler, NULL);
    return scheduler->process->kind->name;
}

const char *maskdm_scheduler_prediction(const maskdm_scheduler *scheduler)
{
    MDM_NEED_OR(scheduler, NULL);
    return scheduler->prediction->name;
}

int maskdm_scheduler_range(const maskdm_scheduler *scheduler, double *first, double *last)
{
    MDM_NEED(scheduler);
    MDM_NEED(first);
    MDM_NEED(last);
    *first = scheduler->process->first;
    *last = scheduler->process->last;
    return MASKDM_OK;
}

int64_t maskdm_scheduler_table(const maskdm_scheduler *scheduler, const char *name, double *out, int64_t capacity)
{
    const struct mdm_schedule *schedule;
    const double *table;

    MDM_NEED(scheduler);
    MDM_NEED(name);
    MDM_NEED_ARRAY(out, capacity);
    schedule = mdm_discrete_schedule(scheduler->process);
    table = schedule ? mdm_schedule_table(schedule, name) : NULL;
    if (!table)
        return mdm_fail(MASKDM_ENOTFOUND, "a scheduler of process %s has no table \"%s\"",
                        scheduler->process->kind->name, name);
    for (int64_t i = 0; i < schedule->timesteps && i < capacity; i++)
        out[i] = table[i];
    return schedule->timesteps;
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

int maskdm_scheduler_times_of(const maskdm_scheduler *scheduler, int64_t count, const double *numbers, double *times)
{
    MDM_NEED(scheduler);
    MDM_TRY(check_images(__func__, count, 1));
    MDM_NEED_ARRAY(numbers, count);
    MDM_NEED_ARRAY(times, count);
    for (int64_t i = 0; i < count; i++)
        MDM_TRY(mdm_time_draw_check(&scheduler->draw, numbers[i]));
    for (int64_t i = 0; i < count; i++)
        times[i] = mdm_time_draw_of(&scheduler->draw, scheduler->process, numbers[i]);
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

static int check_times(const maskdm_scheduler *s, int64_t batch, const double *times)
{
    for (int64_t b = 0; b < batch; b++)
        MDM_TRY(mdm_process_check(s->process, times[b]));
    return MASKDM_OK;
}

int maskdm_scheduler_factors(const maskdm_scheduler *scheduler, const char *name, int64_t batch, const double *times,
                             double *out)
{
    static const struct {
        const char *name;
        size_t at;
    } factors[] = {{"signal", offsetof(struct mdm_facts, level.signal)},
                   {"noise", offsetof(struct mdm_facts, level.noise)},
                   {"input_scale", offsetof(struct mdm_facts, input_scale)},
                   {"network_time", offsetof(struct mdm_facts, network_time)},
                   {"target_x0", offsetof(struct mdm_facts, target.a)},
                   {"target_noise", offsetof(struct mdm_facts, target.b)},
                   {"denoised_x_t", offsetof(struct mdm_facts, clean.a)},
                   {"denoised_output", offsetof(struct mdm_facts, clean.b)},
                   {"loss_weight", offsetof(struct mdm_facts, weight)}};
    size_t i = 0;

    MDM_NEED(scheduler);
    MDM_NEED(name);
    MDM_TRY(check_images(__func__, batch, 1));
    MDM_NEED_ARRAY(times, batch);
    MDM_NEED_ARRAY(out, batch);
    while (i < MDM_LENGTH(factors) && strcmp(factors[i].name, name) != 0)
        i++;
    if (i == MDM_LENGTH(factors))
        return mdm_fail(MASKDM_ENOTFOUND, "a scheduler has no factor \"%s\"", name);
    MDM_TRY(check_times(scheduler, batch, times));
    for (int64_t b = 0; b < batch; b++) {
        const struct mdm_facts f = mdm_scheduler_facts(scheduler, times[b]);

        memcpy(&out[b], (const char *)&f + factors[i].at, sizeof out[b]);
    }
    return MASKDM_OK;
}

static struct mdm_pair level_of(const struct mdm_facts *f)
{
    return (struct mdm_pair){f->level.signal, f->level.noise};
}

static struct mdm_pair target_of(const struct mdm_facts *f)
{
    return f->target;
}

static struct mdm_pair clean_of(const struct mdm_facts *f)
{
    return f->clean;
}

/* out = a u + b v, image by image; nothing is written before every time was checked. */
static int combine(const maskdm_scheduler *s, int64_t batch, int64_t n, const float *u, const float *v,
                   const double *times, float *out, struct mdm_pair (*pair)(const struct mdm_facts *f))
{
    MDM_TRY(check_times(s, batch, times));
    for (int64_t b = 0; b < batch; b++) {
        const struct mdm_facts f = mdm_scheduler_facts(s, times[b]);
        const struct mdm_pair p = pair(&f);

        mdm_mix_on_host(
            &(struct mdm_mix){.n = n, .count = 2, .x = {u + b * n, v + b * n}, .a = {p.a, p.b}, .y = out + b * n});
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
    return combine(scheduler, batch, n, x0, noise, times, x_t, level_of);
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
    return combine(scheduler, batch, n, x0, noise, times, target, target_of);
}

int maskdm_scheduler_denoised(const maskdm_scheduler *scheduler, int64_t batch, int64_t n, const float *x_t,
                              const float *prediction, const double *times, float *x0)
{
    MDM_NEED(scheduler);
    MDM_TRY(check_images(__func__, batch, n));
    NEED_VALUES(x_t);
    NEED_VALUES(prediction);
    MDM_NEED_ARRAY(times, batch);
    NEED_VALUES(x0);
    return combine(scheduler, batch, n, x_t, prediction, times, x0, clean_of);
}
