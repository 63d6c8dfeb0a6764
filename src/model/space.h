/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What diffusion works on instead of pixels: other values of an image, as many of them, which follow from its pixels
 * and give them back. A square of `side` x `side` pixels becomes one place of a smaller image whose channels are
 * side x side bands of the image's own, the band outermost. Adding one is a file with a struct mdm_space; a network's
 * geometry names it, and then data, samplers and losses go by it.
 */
#ifndef MASKDM_MODEL_SPACE_H
#define MASKDM_MODEL_SPACE_H

#include "backend/job.h"

enum { MDM_MOST_BANDS = 4, MDM_MOST_DEPTH = 16 }; /* bands; channels of a place */

/* A band of images whose pixels are -1 .. 1. */
struct mdm_band {
    double middle, reach; /* its values are within middle - reach .. middle + reach */
    double pixels;        /* what the square of an error in it is of the sum of squares in pixels */
};

struct mdm_space {
    const char *name;
    int side;
    struct mdm_band band[MDM_MOST_BANDS];
    /* Of one image, height x width x channels values, both host memory; the two do not overlap. */
    void (*enter)(float *values, const float *pixels, int64_t height, int64_t width, int64_t channels);
    void (*leave)(float *pixels, const float *values, int64_t height, int64_t width, int64_t channels);
};

extern const struct mdm_space mdm_haar;

/* Of each channel of a place, where x0 may be when it is clipped to `clip` times what images have. */
void mdm_space_ranges(const struct mdm_space *s, int64_t channels, double clip, struct mdm_range out[MDM_MOST_DEPTH]);

#endif
