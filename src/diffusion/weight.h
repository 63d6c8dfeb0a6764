/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much an image's loss counts by its level of noise, whatever is predicted.
 */
#ifndef MASKDM_DIFFUSION_WEIGHT_H
#define MASKDM_DIFFUSION_WEIGHT_H

#include "diffusion/process.h"

struct mdm_weight {
    const struct mdm_weight_class *kind;
    double gamma, offset; /* of min_snr and p2; of p2 (k) and sigmoid (b) */
    double least_noise;   /* the noise below which weight v grows no more */
};

/* Which processes a weight has a meaning for. */
enum mdm_weight_process {
    MDM_WEIGHT_ANY,
    MDM_WEIGHT_SLOPE,   /* those with a slope */
    MDM_WEIGHT_STRAIGHT /* those with a straight path */
};

struct mdm_weight_class {
    const char *name;
    /* The factor of |target - F|^2 where |x0 - predicted x0|^2 is share^2 times that. */
    double (*of)(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share);
    enum mdm_weight_process of_process;
};

/* Of class i; NULL past the last. */
const char *mdm_weight_name(int i);
const struct mdm_weight_class *mdm_weight_class_at(unsigned i);
/* EINVAL where class i has no meaning for the process. `said`: how the option is called. */
int mdm_weight_check(unsigned i, const struct mdm_process *p, const char *said);
double mdm_weight_of(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share);

#endif
