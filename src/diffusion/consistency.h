/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Consistency tuning (Geng et al. 2024, arXiv 2406.14548): the image that a network sees at a noise-to-signal ratio t
 * is held against the one that it sees itself at r, somewhat below, under the same noise; where r is 0, against the
 * image. A network that agrees with itself all the way down needs one evaluation for an image.
 *
 *     t = exp(mean + std n),  r = max(t (1 - f(t) / q^(stage + 1)), 0),  f = 1 + k sigmoid(-b t), or 1
 *     loss = (sqrt(|D(x_t) - D(x_r)|^2 + c^2) - c) / (t - r), of the whole image, c the option `huber`
 *
 * What is compared is the network's output F. With D = a x_t + b F, and x_t and x_r sums of the same x0 and noise,
 *
 *     D(x_t) - D(x_r) = b_t (F_t - teacher F_r - (target.a x0 + target.b noise)),
 *
 * so that the pass at r takes part as one more sum of outputs, and nothing is multiplied by the large 1 / b_t but
 * numbers that are known in double.
 */
#ifndef MASKDM_DIFFUSION_CONSISTENCY_H
#define MASKDM_DIFFUSION_CONSISTENCY_H

#include "diffusion/scheduler.h"

struct mdm_consistency_options {
    unsigned mapping;
    double q, k, b, huber, mean, std;
    int64_t stages, every; /* every 0: unset */
    double floor;
};

struct mdm_consistency {
    struct mdm_consistency_options told;
    struct mdm_time_draw draw;
    double floor; /* of t, below which an error's weight grows no more */
};

/* Of one image. */
struct mdm_consistency_facts {
    int teaches; /* the network is asked at r; 0: the image itself is what counts */
    double teacher;
    struct mdm_pair target;
    double weight, delta; /* of F_t - teacher F_r - target, for MDM_LOSS_PSEUDO_HUBER_IMAGE */
};

extern const struct mdm_option_table mdm_consistency_options;
extern const struct mdm_option_kind mdm_consistency_kind;

/* options: resolved, of kind "consistency". EINVAL where the last stage has r closer to t than float32 can tell. */
int mdm_consistency_read(struct mdm_consistency *out, const maskdm_scheduler *s, const maskdm_options *options);
/* That of a run's step; without `every` the first. */
int64_t mdm_consistency_stage(const struct mdm_consistency *c, int64_t step);
/* The process's time of r; the image's where r is less than the noise that the process begins with. */
double mdm_consistency_time(const struct mdm_consistency *c, const maskdm_scheduler *s, int64_t stage, double time);
struct mdm_consistency_facts mdm_consistency_facts(const struct mdm_consistency *c, const maskdm_scheduler *s,
                                                   double t, double r);

#endif
