/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduler handle: a process, what the network predicts in it, and how much each level of noise counts.
 */
#ifndef MASKDM_DIFFUSION_SCHEDULER_H
#define MASKDM_DIFFUSION_SCHEDULER_H

#include <maskdm/scheduler.h>

#include "base/handle.h"
#include "diffusion/prediction.h"
#include "diffusion/process.h"
#include "diffusion/time_draw.h"
#include "diffusion/weight.h"

struct maskdm_scheduler {
    struct mdm_handle handle;
    maskdm_options *options; /* of kind "scheduler", resolved, the prediction by its name: what model files keep */
    struct mdm_process *process;
    const struct mdm_prediction *prediction;
    struct mdm_weight weight;
    struct mdm_time_draw draw;
    double least_slope_time; /* a predicted x0 on a straight path: the slope is divided by no less (JiT) */
};

/* All that a step knows of a time. F is the network's output. */
struct mdm_facts {
    struct mdm_level level;
    double input_scale, network_time; /* the network is given input_scale x_t, and told network_time */
    struct mdm_pair target;           /* F should be a x0 + b eps */
    struct mdm_pair clean;            /* and then x0 = a x_t + b F */
    double weight;                    /* of |F - target|^2 */
};

int mdm_scheduler_create(maskdm_scheduler **out, const maskdm_options *options); /* NULL: the defaults */
void mdm_scheduler_hold(maskdm_scheduler *s);
void mdm_scheduler_drop(maskdm_scheduler **s);

/* time: one that mdm_process_check() lets pass, or a solver's. */
struct mdm_facts mdm_scheduler_facts(const maskdm_scheduler *s, double time);
/* Draws of images first .. first + count - 1 of the run's stream. */
void mdm_scheduler_draw_times(const maskdm_scheduler *s, uint64_t seed, int64_t first, int64_t step, int64_t count,
                              double *times);
void mdm_scheduler_draw_noise(uint64_t seed, int64_t first, int64_t step, int64_t count, int64_t n, float *noise);

#endif
