/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Guidance: a prediction is carried on along the line that leads to it from a weaker one, weak + scale (strong -
 * weak), the weaker one being what a network says without the label (Ho and Salimans 2022, arXiv 2207.12598) or what
 * another network says (Karras et al. 2024, arXiv 2406.02507). Here is how far, at which levels of noise
 * (Kynkaanniemi et al. 2024, arXiv 2404.07724) and in which channels.
 *
 * At one x and time, x0, noise, v and velocity are linear in each other, with the same factors for both predictions;
 * and the factors of both sum to 1. So it is one thing whether the network's output is guided or an image or a
 * velocity that is made of it, unless these are clipped in between.
 */
#ifndef MASKDM_DIFFUSION_GUIDANCE_H
#define MASKDM_DIFFUSION_GUIDANCE_H

#include "backend/backend.h"
#include "diffusion/options.h"
#include "diffusion/process.h"

struct mdm_guidance {
    double scale;     /* 1: none */
    double low, high; /* noise-to-signal ratios between which it acts; high 0: no end */
    int ends;         /* and at these themselves */
    int64_t channels; /* in which it acts, the first of an image's; 0: all */
};

/* options: a checked handle that has the sampler's. EINVAL for an interval upside down. */
int mdm_guidance_read(struct mdm_guidance *out, const maskdm_options *options);
/* EINVAL where images do not have so many channels. */
int mdm_guidance_check(const struct mdm_guidance *g, int64_t channels, const char *said);
/* The scale at a level: 1 where it does not act. */
double mdm_guidance_at(const struct mdm_guidance *g, struct mdm_level level);
/* strong = weak + scale (strong - weak) over n values of images with so many channels. */
struct mdm_mix mdm_guidance_job(const struct mdm_guidance *g, double scale, int64_t n, int64_t channels,
                                float *strong, const float *weak);

#endif
