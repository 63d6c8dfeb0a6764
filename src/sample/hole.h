/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Painting a part of a picture: which pixels of it are known, and holding them there.
 */
#ifndef MASKDM_SAMPLE_HOLE_H
#define MASKDM_SAMPLE_HOLE_H

#include "diffusion/process.h"
#include "sample/pictures.h"

struct mdm_hole {
    struct mdm_pictures known;
    int64_t channels;
    unsigned char *open;   /* [H,W], 1 where it is painted */
    int64_t length, times; /* stretches that are done more than once, see walk.h */
    float *noise;          /* [H,W,C], host memory, of one image */
};

/* mask: one channel, of the geometry's size; open where it is at least half white. */
int mdm_hole_create(struct mdm_hole **out, const maskdm_image *const *image, int64_t count, const maskdm_image *mask,
                    const struct mdm_geometry *g);
void mdm_hole_release(struct mdm_hole **h); /* NULL inside is fine */
/* Of the geometry's patches those with a pixel of the hole, and those up to `around` patches from one, each way:
 * which into patch[patches], rising. Returns how many. */
int64_t mdm_hole_patches(const struct mdm_hole *h, const struct mdm_geometry *g, int64_t around, int32_t *patch);
/* The known pixels of picture i into x[H,W,C], at a level of noise that stands in h->noise. */
void mdm_hole_hold(const struct mdm_hole *h, int64_t i, struct mdm_level at, float *x);

#endif
