/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A micro-batch: images under noise, what the network is to make of them, and the numbers that a step needs of each.
 * Images are device memory, all else is host memory. Training and the held-out loss fill the same one.
 */
#ifndef MASKDM_TRAIN_MICROBATCH_H
#define MASKDM_TRAIN_MICROBATCH_H

#include "diffusion/scheduler.h"
#include "model/program.h"

struct mdm_microbatch {
    maskdm_device *device;
    int64_t batch, values;                  /* room for B images of n values */
    float *images, *noise, *input, *target; /* device memory, B x n */
    const struct mdm_geometry *geometry;
    float *staged;                 /* host memory, B x n: images on their way in */
    float *entered;                /* the same, as diffusion has them; NULL: as they are */
    double *times, *network_times; /* B: the process's, and what the network is told of them */
    double *signal, *level, *target_x0,
        *target_noise;       /* B: input = signal x0 + level eps, and the target's factors */
    double *weight, *losses; /* B */
    double *second;          /* B: the losses of the second kind of patches */
    double *denoised;        /* B: the output's share in the predicted x0 */
    struct mdm_rng *streams; /* B: of noise */
    int32_t *labels, *index; /* B, B x K */
    int32_t *dropped;        /* B: not 0 where nothing comes from the deep blocks; where the extent drops paths */
    int32_t *keep;           /* mdm_extent_kept() of the visible patches' places: who is routed; NULL: nobody */
};

/* Bytes of device memory. */
size_t mdm_microbatch_bytes(int64_t batch, int64_t values);
/* Borrows the geometry. */
int mdm_microbatch_take(struct mdm_microbatch *m, maskdm_device *device, struct mdm_extent extent,
                        const struct mdm_geometry *geometry);
void mdm_microbatch_give(struct mdm_microbatch *m);

/* The first `count` images. Called with the device entered: */
int mdm_microbatch_upload(struct mdm_microbatch *m, float *to, const float *from, int64_t count);
/* Pixels into m->images, as diffusion has them. */
int mdm_microbatch_enter(struct mdm_microbatch *m, const float *pixels, int64_t count);
int mdm_microbatch_draw_noise(struct mdm_microbatch *m, uint64_t seed, int64_t first, int64_t step, int64_t count);
/* Input and target from images, noise and times, and all numbers. */
int mdm_microbatch_noise(struct mdm_microbatch *m, const maskdm_scheduler *s, int64_t count);
/* The same in two: the numbers of the times, and what they make of images and noise. */
void mdm_microbatch_count(struct mdm_microbatch *m, const maskdm_scheduler *s, int64_t count);
int mdm_microbatch_mix(struct mdm_microbatch *m, int64_t count);
/* The weighted losses of a program's output, and its gradient where the program is for training, of `scale` times
 * their sum. Where patches are of two kinds that is the sum of both means. index NULL: that of a program of whole
 * images. late: see struct mdm_loss; where mdm_microbatch_is_late() allows it. */
int mdm_microbatch_loss(struct mdm_microbatch *m, const struct mdm_program *p, const int32_t *index,
                        enum mdm_loss_kind kind, double delta, double scale, int late);
/* Whether losses of these images can come late, which saves a wait, and then by mdm_microbatch_collect(). */
int mdm_microbatch_is_late(const struct mdm_microbatch *m);
int mdm_microbatch_collect(struct mdm_microbatch *m, int64_t count);
/* Mean squared errors of a program's output for whole images, weighted, as they are in pixels. */
int mdm_microbatch_error(struct mdm_microbatch *m, const struct mdm_program *p);
/* Of one kind of patches: what stands in the place of the output, against the target, as one error of an image, with
 * a delta of each image's own. */
int mdm_microbatch_norm(struct mdm_microbatch *m, const struct mdm_program *p, const int32_t *index,
                        const float *apart, const double *deltas, double scale);

#endif
