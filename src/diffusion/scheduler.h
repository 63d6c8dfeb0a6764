/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduler handle: a schedule and what the network predicts.
 */
#ifndef MASKDM_DIFFUSION_SCHEDULER_H
#define MASKDM_DIFFUSION_SCHEDULER_H

#include <maskdm/scheduler.h>

#include "base/handle.h"
#include "diffusion/prediction.h"
#include "diffusion/schedule.h"

struct maskdm_scheduler {
    struct mdm_handle handle;
    maskdm_options *options; /* of kind "scheduler", resolved: what model files keep */
    const struct mdm_prediction *prediction;
    struct mdm_schedule schedule;
};

int mdm_scheduler_create(maskdm_scheduler **out, const maskdm_options *options); /* NULL: the defaults */
void mdm_scheduler_hold(maskdm_scheduler *s);
void mdm_scheduler_drop(maskdm_scheduler **s);

/* A whole time in 0 .. T-1, as an index; EINVAL for anything else. */
int mdm_scheduler_time(const maskdm_scheduler *s, double time, int64_t *t);
/* x_t = signal x0 + noise eps and target = target_x0 x0 + target_eps eps, for each of `batch` times. Any of the four
 * may be NULL. */
int mdm_scheduler_factors(const maskdm_scheduler *s, int64_t batch, const double *times, double *signal,
                          double *noise, double *target_x0, double *target_eps);
/* Draws of images first .. first + count - 1 of the run's stream. */
void mdm_scheduler_draw_times(const maskdm_scheduler *s, uint64_t seed, int64_t first, int64_t step, int64_t count,
                              double *times);
void mdm_scheduler_draw_noise(uint64_t seed, int64_t first, int64_t step, int64_t count, int64_t n, float *noise);

#endif
