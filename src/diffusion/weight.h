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

struct mdm_weight_class {
    const char *name;
    /* The factor of |target - F|^2 where |x0 - predicted x0|^2 is share^2 times that. */
    double (*of)(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share);
};

/* Of class i; NULL past the last. */
const char *mdm_weight_name(int i);
const struct mdm_weight_class *mdm_weight_class_at(unsigned i);
double mdm_weight_of(const struct mdm_weight *w, const struct mdm_process *p, struct mdm_level at, double share);

#endif
