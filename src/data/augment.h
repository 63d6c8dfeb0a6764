/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What training does to images so that it sees more of them than there are. Each is drawn by a stream of its own,
 * keyed by (seed, position in the run's stream of images), so that one may be turned on without the others drawing
 * otherwise.
 */
#ifndef MASKDM_DATA_AUGMENT_H
#define MASKDM_DATA_AUGMENT_H

#include <stdint.h>

/* All 0: nothing. */
struct mdm_augment {
    double flip;   /* chance that it is mirrored */
    int64_t shift; /* most pixels in each direction; what comes in repeats the edge */
    double turn;   /* chance of a quarter turn, two or three; of a half turn where it is no square */
    double colour; /* most by which brightness, contrast and saturation change, as a share */
};

struct mdm_raster {
    int64_t height, width;
    int channels;
};

/* Image by image, in 0 .. 1. room: as many values. */
void mdm_augment_image(float *image, float *room, struct mdm_raster shape, const struct mdm_augment *how,
                       uint64_t seed, int64_t position);
/* The window of `shape` in an image whose sides are longer by the margins, at (top, left). */
void mdm_augment_window(float *to, const float *from, struct mdm_raster shape, int64_t margin_width, int64_t top,
                        int64_t left);
/* Where that window is drawn: each place with equal chance. */
void mdm_augment_draw_window(int64_t *top, int64_t *left, int64_t margin_height, int64_t margin_width, uint64_t seed,
                             int64_t position);

#endif
