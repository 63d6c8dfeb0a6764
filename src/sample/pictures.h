/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pictures as diffusion has them: what a sampler begins with, or of which it paints a part.
 */
#ifndef MASKDM_SAMPLE_PICTURES_H
#define MASKDM_SAMPLE_PICTURES_H

#include "image/image.h"
#include "model/network.h"

/* Used in turn. */
struct mdm_pictures {
    int64_t count, n; /* values of one */
    float *x;         /* [count,H,W,C], host memory, -1 .. 1, or what space makes of that */
};

/* Of the geometry's size and channels, or MASKDM_ESHAPE with both. */
int mdm_pictures_take(struct mdm_pictures *out, const maskdm_image *const *image, int64_t count,
                      const struct mdm_geometry *g);
void mdm_pictures_free(struct mdm_pictures *p);
const float *mdm_pictures_at(const struct mdm_pictures *p, int64_t i);

#endif
