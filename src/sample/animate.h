/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A sampler's run as an animation: all its images from noise on, in one grid, or one image after the other.
 */
#ifndef MASKDM_SAMPLE_ANIMATE_H
#define MASKDM_SAMPLE_ANIMATE_H

#include "sample/sampler.h"

struct mdm_writer;
struct mdm_animation;

struct mdm_animation_told {
    int64_t images;       /* of the run */
    int one_by_one;       /* each image is a frame, as it is in the end */
    int64_t frames;       /* at most, out of the steps */
    int noisy;            /* which show x, not the predicted x0 */
    int64_t columns;      /* of the grid; 0: near square */
    int64_t milliseconds; /* that a frame is shown */
    int bits;             /* 8 or 16 */
};

/* Watch the sampler, whose step callback this takes, until the release; all memory is taken here. */
int mdm_animation_create(struct mdm_animation **out, maskdm_sampler *s, const struct mdm_animation_told *told);
/* After the run. text: what the file says, as a picture's does. The writer is committed or abandoned in every case.
 */
int mdm_animation_write(const struct mdm_animation *a, const struct mdm_png_text *text, struct mdm_writer **writer);
void mdm_animation_release(struct mdm_animation **a); /* NULL inside is fine */

#endif
