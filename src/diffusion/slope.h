/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What methods that follow a process's path by its slope share: where they stand, and churn (Karras et al. 2022,
 * algorithm 2), which adds noise before a step and begins it that much earlier.
 */
#ifndef MASKDM_DIFFUSION_SLOPE_H
#define MASKDM_DIFFUSION_SLOPE_H

#include "diffusion/method.h"

struct mdm_slope_options {
    int64_t steps;
    double churn, churn_min, churn_max, churn_noise;
};
enum { MDM_SLOPE_OPTIONS = 5 };
extern const struct mdm_option mdm_slope_options[MDM_SLOPE_OPTIONS];

/* Those of `table`, whose rows are mdm_slope_options. EINVAL where a straight path is to be churned. */
int mdm_slope_read(struct mdm_method *s, const maskdm_options *options, const struct mdm_option_table *table);

/* The beginning and the end of step i on the path, the beginning after churn, which is noted in *out with its time.
 * */
struct mdm_leg {
    struct mdm_path from, to;
};
struct mdm_leg mdm_slope_begin(const struct mdm_method *s, int64_t i, struct mdm_evaluation *out);
/* What the slope's (y - x0) / at is divided by. */
double mdm_slope_divisor(const struct mdm_method *s, struct mdm_path at);
/* Euler's step. */
void mdm_slope_euler(const struct mdm_method *s, struct mdm_leg leg, struct mdm_terms *out);

#endif
