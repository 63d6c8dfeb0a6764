/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Haar's wavelets of one level, as MaskDM's first program has them (Lei et al., arXiv 2306.11363v1): of pixels in
 * 0 .. 1 a square [a b; c d] has the approximation (a+b+c+d)/2, which is then brought from 0 .. 1 to -1 .. 1 as if it
 * were a pixel, and the details (a+b-c-d)/2, (a-b+c-d)/2 and (a-b-c+d)/2, which stay as they are. Up to a shift and
 * a factor for each band that is an orthonormal transform, so that noise of deviation 1 on these values is noise of
 * deviation 1 on an image.
 */
#include "model/space.h"

/* The four values of a square of pixels in -1 .. 1. */
static void enter_square(float *values, int64_t channels, double a, double b, double c, double d)
{
    values[0] = (float)((a + b + c + d) / 2 + 1);
    values[channels] = (float)((a + b - c - d) / 4);
    values[2 * channels] = (float)((a - b + c - d) / 4);
    values[3 * channels] = (float)((a - b - c + d) / 4);
}

static void enter(float *values, const float *pixels, int64_t height, int64_t width, int64_t channels)
{
    const int64_t row = width * channels;

    for (int64_t y = 0; y < height; y += 2, pixels += 2 * row)
        for (int64_t x = 0; x < row; x += 2 * channels, values += 4 * channels)
            for (int64_t c = 0; c < channels; c++) {
                const float *at = pixels + x + c;

                enter_square(values + c, channels, (double)at[0], (double)at[channels], (double)at[row],
                             (double)at[row + channels]);
            }
}

static void leave(float *pixels, const float *values, int64_t height, int64_t width, int64_t channels)
{
    const int64_t row = width * channels;

    for (int64_t y = 0; y < height; y += 2, pixels += 2 * row)
        for (int64_t x = 0; x < row; x += 2 * channels, values += 4 * channels)
            for (int64_t c = 0; c < channels; c++) {
                const double mean = ((double)values[c] - 1) / 2, h = (double)values[channels + c];
                const double v = (double)values[2 * channels + c], d = (double)values[3 * channels + c];
                float *at = pixels + x + c;

                at[0] = (float)(mean + h + v + d);
                at[channels] = (float)(mean + h - v - d);
                at[row] = (float)(mean - h + v - d);
                at[row + channels] = (float)(mean - h - v + d);
            }
}

const struct mdm_space mdm_haar = {
    .name = "haar",
    .side = 2,
    .band = {{1, 2, 1}, {0, 1, 4}, {0, 1, 4}, {0, 1, 4}},
    .enter = enter,
    .leave = leave,
};

void mdm_space_ranges(const struct mdm_space *s, int64_t channels, double clip, struct mdm_range out[MDM_MOST_DEPTH])
{
    for (int64_t i = 0; i < s->side * s->side * channels; i++) {
        const struct mdm_band *b = &s->band[i / channels];

        out[i] = (struct mdm_range){b->middle - clip * b->reach, b->middle + clip * b->reach};
    }
}
