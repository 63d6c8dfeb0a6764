/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which times training draws: a number at random, spread over the images or not, and what it is made into.
 */
#ifndef MASKDM_DIFFUSION_TIME_DRAW_H
#define MASKDM_DIFFUSION_TIME_DRAW_H

#include "diffusion/process.h"

struct mdm_time_draw {
    const struct mdm_time_kind *kind;
    double mean, deviation; /* of logit_normal and log_normal */
    double mode_scale;      /* of mode */
    int even;               /* numbers are spread over the images */
};

/* What the options say; NAN for numbers that none says. `kind` 0: the process's own. */
struct mdm_time_wish {
    unsigned kind, spread;
    double mean, deviation, mode_scale;
};

/* Choice i of the options `time_draw`, 0 being "auto", and `time_spread`; NULL past the last. */
const char *mdm_time_draw_name(int i);
const char *mdm_time_spread_name(int i);
/* EINVAL for a number where the kind has none. `options`: how they are called. */
int mdm_time_draw_choose(struct mdm_time_draw *out, const struct mdm_process *p, const struct mdm_time_wish *wish,
                         const maskdm_options *options);
/* EINVAL for what is no such number. */
int mdm_time_draw_check(const struct mdm_time_draw *d, double number);
/* The time that comes from a number: a normal one of logit_normal and log_normal, else one in 0 .. 1. */
double mdm_time_draw_of(const struct mdm_time_draw *d, const struct mdm_process *p, double number);
/* That of image `position` of the run's stream, at `step`. */
double mdm_time_draw_at(const struct mdm_time_draw *d, const struct mdm_process *p, uint64_t seed, uint64_t position,
                        int64_t step);

#endif
