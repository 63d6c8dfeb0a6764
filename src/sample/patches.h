/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Some of the patches of an image, the same for all images: what a network is given where it is not given all, as in
 * training with masks.
 */
#ifndef MASKDM_SAMPLE_PATCHES_H
#define MASKDM_SAMPLE_PATCHES_H

#include "model/program.h"

struct mdm_patches {
    int64_t visible;     /* 0: all */
    int32_t *patch;      /* [visible], rising */
    int32_t *index;      /* [B,visible] for a program; NULL: all, or not ready */
    float *said, *whole; /* host memory: patches of the prediction, and images of them */
};

/* Others than before; patch NULL: all. What was ready is given back. */
int mdm_patches_choose(struct mdm_patches *p, const int32_t *patch, int64_t visible);
/* For a program of so many images and patches. */
int mdm_patches_ready(struct mdm_patches *p, const struct mdm_program *program);
void mdm_patches_rest(struct mdm_patches *p);
void mdm_patches_free(struct mdm_patches *p);
/* The last forward's prediction [B,H,W,C], 0 where no patch is; device memory. Of the network's channels those from
 * `first` on. The device is entered. */
int mdm_patches_image(struct mdm_patches *p, struct mdm_program *program, int64_t first, float *image);

#endif
