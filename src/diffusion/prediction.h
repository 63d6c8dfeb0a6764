/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the network's raw output F is meant to be. Each is linear in (x0, eps), so that with x_t = signal x0 + noise
 * eps any one gives the others.
 */
#ifndef MASKDM_DIFFUSION_PREDICTION_H
#define MASKDM_DIFFUSION_PREDICTION_H

#include "diffusion/process.h"

/* a u + b v of two images */
struct mdm_pair {
    double a, b;
};

struct mdm_prediction {
    const char *name;
    /* F's target = a x0 + b eps */
    struct mdm_pair (*target)(const struct mdm_process *p, struct mdm_level at);
    /* predicted x0 = a x_t + b F */
    struct mdm_pair (*clean)(const struct mdm_process *p, struct mdm_level at);
    /* Whether F is itself the noise that a step uses; otherwise the noise follows from x_t and the clipped x0. The
     * authors do not compute it anew for noise prediction. */
    int is_noise;
    int of_noise; /* F says nothing of the image, so that none follows from it where none is left in x_t */
};

/* Choice i of the option `prediction`: 0 is "auto", the process's own; NULL past the last. */
const char *mdm_prediction_name(int i);
/* EINVAL where the process has no such prediction. `said`: how the option is called. */
int mdm_prediction_choose(const struct mdm_prediction **out, const struct mdm_process *p, unsigned choice,
                          const char *said);

#endif
