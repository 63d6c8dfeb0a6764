/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduler: creation, factors of the forward process, and what a training step draws.
 */
#include "diffusion/scheduler.h"

#include "diffusion/options.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

#include <math.h>

static int fill(maskdm_scheduler *s, const maskdm_options *options)
{
    const char *prediction;

    MASKDM_TRY(maskdm_optionset_extract(&s->options, options, &maskdm_scheduler_kind));
    prediction = maskdm_optionset_string(s->options, "prediction");
    s->prediction = maskdm_prediction_find(prediction);
    if (!s->prediction)
        return maskdm_fail(MASKDM_EINVAL, "there is no prediction \"%s\"", prediction);
    return maskdm_schedule_make(&s->schedule, maskdm_optionset_string(s->options, "schedule"),
                                maskdm_optionset_int(s->options, "timesteps"),
                                (double)maskdm_optionset_int(s->options, "shift_size"));
}

static void destroy(void *object)
{
    maskdm_scheduler *s = object;

    maskdm_optionset_release(&s->options);
    maskdm_schedule_free(&s->schedule);
    maskdm_free(s);
}

static const struct maskdm_handle_kind kind = {"scheduler", destroy};

int maskdm_diffusion_create(maskdm_scheduler **out, const maskdm_options *options)
{
    maskdm_scheduler *s = maskdm_need(1, sizeof *s, "a scheduler");
    int status;

    *out = NULL;
    if (!s)
        return MASKDM_ENOMEM;
    maskdm_handle_init(&s->handle, &kind);
    status = fill(s, options);
    if (status < 0)
        maskdm_diffusion_drop(&s);
    *out = s;
    return status;
}

void maskdm_diffusion_hold(maskdm_scheduler *s)
{
    if (s)
        maskdm_handle_hold(&s->handle);
}

void maskdm_diffusion_drop(maskdm_scheduler **out)
{
    maskdm_scheduler *s = *out;

    *out = NULL;
    if (s)
        maskdm_handle_drop(&s->handle);
}

int maskdm_diffusion_time(const maskdm_scheduler *s, double time, int64_t *t)
{
    const int64_t T = s->schedule.timesteps;

    /* The comparison also turns NaN away, before the conversion would be undefined. */
    if (!(time >= 0 && time <= (double)(T - 1)) || (double)(int64_t)time != time)
        return maskdm_fail(MASKDM_EINVAL, "time %g is not a whole number in 0 .. %lld", time, (long long)(T - 1));
    *t = (int64_t)time;
    return MASKDM_OK;
}

int maskdm_diffusion_factors(const maskdm_scheduler *s, int64_t batch, const double *times, double *signal,
                             double *noise, double *target_x0, double *target_eps)
{
    for (int64_t b = 0; b < batch; b++) {
        double abar, x0, eps;
        int64_t t = 0;

        MASKDM_TRY(maskdm_diffusion_time(s, times[b], &t));
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

void maskdm_diffusion_draw_times(const maskdm_scheduler *s, uint64_t seed, int64_t first, int64_t step, int64_t count,
                                 double *times)
{
    for (int64_t i = 0; i < count; i++) {
        struct maskdm_rng stream =
            maskdm_rng_make(seed, MASKDM_DRAW_TIME, (uint64_t)first + (uint64_t)i, (uint64_t)step);

        times[i] = maskdm_rng_range(&stream, (uint32_t)s->schedule.timesteps);
    }
}

void maskdm_diffusion_draw_noise(uint64_t seed, int64_t first, int64_t step, int64_t count, int64_t n, float *noise)
{
    for (int64_t i = 0; i < count; i++) {
        const struct maskdm_rng stream =
            maskdm_rng_make(seed, MASKDM_DRAW_NOISE, (uint64_t)first + (uint64_t)i, (uint64_t)step);

        maskdm_rng_normal(noise + i * n, (size_t)n, &stream, 0);
    }
}
