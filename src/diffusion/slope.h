/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What methods that follow a process's path by its slope share: where they stand, and churn (Karras et al. 2022,
 * algorithm 2), which adds noise before a step and begins it that much earlier.
 */
#ifndef MASKDM_DIFFUSION_SLOPE_H
#define MASKDM_DIFFUSION_SLOPE_H

#include "diffusion/method.h"

struct mdm_churn_options {
    int64_t steps;
    double churn, churn_min, churn_max, churn_noise;
};

#define MDM_CHURN(of)                                                                                                \
    {MDM_OPTION(of, churn),                                                                                          \
     .standard = "0",                                                                                                \
     .min = 0,                                                                                                       \
     .max = 1e6,                                                                                                     \
     .alias = "s_churn",                                                                                             \
     .help = "noise that is added on the way, over all steps; 0: none"},                                             \
        {MDM_OPTION(of, churn_min),                                                                                  \
         .standard = "0",                                                                                            \
         .min = 0,                                                                                                   \
         .max = 1e9,                                                                                                 \
         .alias = "s_min|s_tmin",                                                                                    \
         .help = "least noise-to-signal ratio at which it is"},                                                      \
        {MDM_OPTION(of, churn_max),                                                                                  \
         .standard = "1000000000",                                                                                   \
         .min = 0,                                                                                                   \
         .max = 1e9,                                                                                                 \
         .alias = "s_max|s_tmax",                                                                                    \
         .help = "most noise-to-signal ratio at which it is"},                                                       \
    {                                                                                                                \
        MDM_OPTION(of, churn_noise), .standard = "1", .min = 0, .max = 100, .alias = "s_noise",                      \
                                     .help = "deviation of that noise"                                               \
    }

/* EINVAL where a straight path is to be churned. */
int mdm_churn_read(struct mdm_method *s, const struct mdm_churn_options *o);

/* The beginning and the end of step i on the path, the beginning after churn, which is noted in *out with the time.
 */
struct mdm_leg {
    struct mdm_path from, to;
};
struct mdm_leg mdm_slope_begin(const struct mdm_method *s, int64_t i, struct mdm_evaluation *out);
/* What the slope's (y - x0) / at is divided by. */
double mdm_slope_divisor(const struct mdm_method *s, struct mdm_path at);
/* Euler's step. */
void mdm_slope_euler(const struct mdm_method *s, struct mdm_leg leg, struct mdm_terms *out);

#endif
