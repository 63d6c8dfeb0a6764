/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the network predicts: the noise, the clean image, or v (Salimans and Ho 2022). All three are linear in (x0,
 * eps), and together with x_t = sqrt(abar) x0 + sqrt(1-abar) eps any one gives the others.
 */
#ifndef MASKDM_DIFFUSION_PREDICTION_H
#define MASKDM_DIFFUSION_PREDICTION_H

struct mdm_prediction {
    const char *name;
    /* target = *x0 x0 + *eps eps */
    void (*target)(double abar, double *x0, double *eps);
    /* predicted x0 = *x x_t + *p prediction */
    void (*clean)(double abar, double *x, double *p);
    /* Whether the network's output is itself the noise that a step uses; otherwise the noise follows from x_t and the
     * clipped x0. The authors do not compute it anew for noise prediction. */
    int is_noise;
};

extern const struct mdm_prediction mdm_prediction_noise, mdm_prediction_x0, mdm_prediction_v;
const struct mdm_prediction *mdm_prediction_find(const char *name); /* NULL: none */

#endif
