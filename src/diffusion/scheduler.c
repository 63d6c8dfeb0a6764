/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduler: creation, factors of the forward process, and what a training step draws.
 */
#include "diffusion/scheduler.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "diffusion/options.h"

#include <math.h>

static int fill(maskdm_scheduler *s, const maskdm_options *options)
{
    const char *prediction;

    MDM_TRY(mdm_options_extract(&s->options, options, &mdm_scheduler_kind));
    prediction = mdm_options_string(s->options, "prediction");
    s->prediction = mdm_prediction_find(prediction);
    if (!s->prediction)
        return mdm_fail(MASKDM_EINVAL, "there is no prediction \"%s\"", prediction);
    return mdm_schedule_make(&s->schedule, mdm_options_string(s->options, "schedule"),
                             mdm_options_int(s->options, "timesteps"),
                             (double)mdm_options_int(s->options, "shift_size"));
}

static void destroy(void *object)
{
    maskdm_scheduler *s = object;

    mdm_options_release(&s->options);
    mdm_schedule_free(&s->schedule);
    mdm_free(s);
}

static const struct mdm_handle_kind kind = {"scheduler", destroy};

int mdm_scheduler_create(maskdm_scheduler **out, const maskdm_options *options)
{
    maskdm_scheduler *s = mdm_need(1, sizeof *s, "a scheduler");
    int status;

    *out = NULL;
    if (!s)
        return MASKDM_ENOMEM;
    mdm_handle_init(&s->handle, &kind);
    status = fill(s, options);
    if (status < 0)
        mdm_scheduler_drop(&s);
    *out = s;
    return status;
}

void mdm_scheduler_hold(maskdm_scheduler *s)
{
    if (s)
        mdm_handle_hold(&s->handle);
}

void mdm_scheduler_drop(maskdm_scheduler **out)
{
    maskdm_scheduler *s = *out;

    *out = NULL;
    if (s)
        mdm_handle_drop(&s->handle);
}

int mdm_scheduler_time(const maskdm_scheduler *s, double time, int64_t *t)
{
    const int64_t T = s->schedule.timesteps;

    /* The comparison also turns NaN away, before the conversion would be undefined. */
    if (!(time >= 0 && time <= (double)(T - 1)) || (double)(int64_t)time != time)
        return mdm_fail(MASKDM_EINVAL, "time %g is not a whole number in 0 .. %lld", time, (long long)(T - 1));
    *t = (int64_t)time;
    return MASKDM_OK;
}

int mdm_scheduler_factors(const maskdm_scheduler *s, int64_t batch, const double *times, double *signal,
                          double *noise, double *target_x0, double *target_eps)
{
    for (int64_t b = 0; b < batch; b++) {
        double abar, x0, eps;
        int64_t t = 0;

        MDM_TRY(mdm_scheduler_time(s, times[b], &t));
        abar = s->schedule.abar[t];
        s->prediction->target(abar, &x0, &eps);
        if (signal)
            signal[b] = sqrt(abar);
        if (noise)
            noise[b] = sqrt(1 - abar);
        if (target_x0)
            target_x0[b] = x0;
        if (target_eps)
            target_eps[b] = eps;
    }
    return MASKDM_OK;
}

void mdm_scheduler_draw_times(const maskdm_scheduler *s, uint64_t seed, int64_t first, int64_t step, int64_t count,
                              double *times)
{
    for (int64_t i = 0; i < count; i++) {
        struct mdm_rng stream = mdm_rng_make(seed, MDM_DRAW_TIME, (uint64_t)first + (uint64_t)i, (uint64_t)step);

        times[i] = mdm_rng_range(&stream, (uint32_t)s->schedule.timesteps);
    }
}

void mdm_scheduler_draw_noise(uint64_t seed, int64_t first, int64_t step, int64_t count, int64_t n, float *noise)
{
    for (int64_t i = 0; i < count; i++) {
        const struct mdm_rng stream =
            mdm_rng_make(seed, MDM_DRAW_NOISE, (uint64_t)first + (uint64_t)i, (uint64_t)step);

        mdm_rng_normal(noise + i * n, (size_t)n, &stream, 0);
    }
}
