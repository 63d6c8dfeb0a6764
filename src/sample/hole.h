/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Painting a part of a picture: which pixels of it are known, and holding them there.
 */
#ifndef MASKDM_SAMPLE_HOLE_H
#define MASKDM_SAMPLE_HOLE_H

#include "diffusion/process.h"
#include "sample/pictures.h"

enum mdm_pixel { MDM_PIXEL_KNOWN, MDM_PIXEL_OPEN, MDM_PIXEL_UNSEEN /* known, and kept from the network */ };

struct mdm_hole {
    struct mdm_pictures known;
    int64_t channels;      /* of a place of what diffusion works on */
    unsigned char *state;  /* of each place (pixel, where these are), enum mdm_pixel */
    int64_t length, times; /* stretches that are done more than once, see walk.h */
    float *noise;          /* [H,W,C], host memory, of one image */
};

/* mask: one channel, of the geometry's size; open where it is at least half white. A place of several pixels is open
 * where one of them is. */
int mdm_hole_create(struct mdm_hole **out, const maskdm_image *const *image, int64_t count, const maskdm_image *mask,
                    const struct mdm_geometry *g);
void mdm_hole_release(struct mdm_hole **h); /* NULL inside is fine */
/* Of the geometry's patches those with a pixel of the hole, and those up to `around` patches from one, each way:
 * which into patch[patches], rising. Returns how many. */
int64_t mdm_hole_patches(const struct mdm_hole *h, const struct mdm_geometry *g, int64_t around, int32_t *patch);
/* Keep from the network what is in none of these patches. */
void mdm_hole_leave_out(struct mdm_hole *h, const struct mdm_geometry *g, const int32_t *patch, int64_t count);
/* 0 into x[H,W,C] there: nobody predicts it, and a solver that looks at whole images finds nothing odd. */
void mdm_hole_blank(const struct mdm_hole *h, float *x);
/* The known pixels of picture i into x[H,W,C], at a level of noise that stands in h->noise. */
void mdm_hole_hold(const struct mdm_hole *h, int64_t i, struct mdm_level at, float *x);

#endif
