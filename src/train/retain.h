/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forgetting by levels of noise: Zhong et al., "Diffusion Tuning: Transferring Diffusion Models via Chain of
 * Forgetting", arXiv 2406.00773. New images count the more, the more noise they are under, and beside them images of
 * the model that one goes on from keep what it can where there is little.
 *
 * Image r of the run's stream is one of those where r share passes a whole number, so that accumulation and the size
 * of batches change no draw.
 */
#ifndef MASKDM_TRAIN_RETAIN_H
#define MASKDM_TRAIN_RETAIN_H

#include "data/data.h"
#include "diffusion/process.h"

struct mdm_retain {
    double power;         /* 0: all levels count alike */
    double share, weight; /* of the old images in a batch, and of their loss beside that of the new ones */
    maskdm_data *data;    /* the old ones; NULL: none */
    float *room;          /* host memory for those of a micro-batch */
    int64_t room_images;
};

struct maskdm_trainer;
struct mdm_microbatch;
/* The trainer holds the set; NULL takes it away. */
int mdm_retain_set(struct maskdm_trainer *tr, maskdm_data *data);
void mdm_retain_free(struct mdm_retain *r);
/* Images and labels from `image` of the stream on into a micro-batch, old ones among them, without labels. */
int mdm_retain_fetch(struct maskdm_trainer *tr, struct mdm_microbatch *m, maskdm_data *data, int64_t image);
/* Multiply the micro-batch's weights; image -1: all of them are new. */
void mdm_retain_weigh(struct maskdm_trainer *tr, int64_t image);
/* (power + 1) share^power of the way to the most noise, for new images, or of the way back. */
double mdm_retain_factor(const struct mdm_process *p, double time, double power, int old);

#endif
