/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Noise schedules as tables of T doubles. The authors keep theirs as float32 but their reference numbers were
 * computed in double, and so are ours.
 */
#ifndef MASKDM_DIFFUSION_DISCRETE_SCHEDULE_H
#define MASKDM_DIFFUSION_DISCRETE_SCHEDULE_H

#include "diffusion/discrete_betas.h"

struct mdm_schedule {
    int64_t timesteps; /* T */
    double *table;     /* one allocation that holds the rest */
    double *beta, *abar;
    /* Of q(x_{t-1} | x_t, x0): mean = coef1 x0 + coef2 x_t (Ho et al. 2020, eq. 7). */
    double *variance, *coef1, *coef2;
};

int mdm_schedule_make(struct mdm_schedule *out, const struct mdm_betas *how);
void mdm_schedule_free(struct mdm_schedule *s);
/* log sqrt(abar) at any time in 0 .. T-1, linear between whole ones and finite even where abar is 0, and the time at
 * which it has a value. */
double mdm_schedule_log_signal(const struct mdm_schedule *s, double t);
double mdm_schedule_time(const struct mdm_schedule *s, double log_signal);
/* A table by its public name, or NULL. */
const double *mdm_schedule_table(const struct mdm_schedule *s, const char *name);

#endif
