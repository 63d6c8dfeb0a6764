/* SPDX-License-Identifier: BSD-2-Clause
 *
 * In the order window, colour, turn, shift, flip.
 */
#include "data/augment.h"

#include "base/rng.h"

#include <string.h>

static void mirror(float *image, struct mdm_raster s)
{
    for (int64_t y = 0; y < s.height; y++, image += s.width * s.channels)
        for (int64_t l = 0, r = s.width - 1; l < r; l++, r--)
            for (int c = 0; c < s.channels; c++) {
                float t = image[l * s.channels + c];

                image[l * s.channels + c] = image[r * s.channels + c];
                image[r * s.channels + c] = t;
            }
}

static int64_t within(int64_t at, int64_t length)
{
    return at < 0 ? 0 : at < length ? at : length - 1;
}

static void move(float *image, float *room, struct mdm_raster s, int64_t down, int64_t across)
{
    const size_t pixel = (size_t)s.channels * sizeof *image;

    memcpy(room, image, (size_t)(s.height * s.width) * pixel);
    for (int64_t y = 0; y < s.height; y++)
        for (int64_t x = 0; x < s.width; x++)
            memcpy(image + (y * s.width + x) * s.channels,
                   room + (within(y - down, s.height) * s.width + within(x - across, s.width)) * s.channels, pixel);
}

/* By that many quarters, clockwise; two where it is no square. */
static void turn(float *image, float *room, struct mdm_raster s, uint32_t quarters)
{
    const int64_t h = s.height, w = s.width;
    const size_t pixel = (size_t)s.channels * sizeof *image;

    memcpy(room, image, (size_t)(h * w) * pixel);
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            const int64_t from[] = {0, (h - 1 - x) * w + y, (h - 1 - y) * w + w - 1 - x, x * w + w - 1 - y};

            memcpy(image + (y * w + x) * s.channels, room + from[h == w ? quarters : 2] * s.channels, pixel);
        }
}

/* ---- colour ---- */

static float luma(const float *p, int colours)
{
    return colours == 3 ? 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2] : p[0];
}

static float clip(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static float mean_luma(const float *image, struct mdm_raster s, int colours)
{
    double sum = 0;

    for (int64_t i = 0; i < s.height * s.width; i++)
        sum += (double)luma(image + i * s.channels, colours);
    return (float)(sum / (double)(s.height * s.width));
}

static float draw_factor(struct mdm_rng *r, double most)
{
    return (float)(1 + most * (2 * mdm_rng_uniform(r) - 1));
}

/* Brightness as a factor, contrast about the image's mean, saturation about each pixel's luma; alpha stays. */
static void recolour(float *image, struct mdm_raster s, double most, struct mdm_rng *r)
{
    const int colours = s.channels - (s.channels % 2 == 0);
    const float bright = draw_factor(r, most), contrast = draw_factor(r, most), saturation = draw_factor(r, most);
    const float mean = mean_luma(image, s, colours) * bright;

    for (int64_t i = 0; i < s.height * s.width; i++) {
        float *p = image + i * s.channels, grey;

        for (int c = 0; c < colours; c++)
            p[c] = mean + (p[c] * bright - mean) * contrast;
        grey = luma(p, colours);
        for (int c = 0; c < colours; c++)
            p[c] = clip(grey + (p[c] - grey) * saturation);
    }
}

/* ---- what is drawn ---- */

static struct mdm_rng stream(uint64_t seed, enum mdm_purpose purpose, int64_t position)
{
    return mdm_rng_make(seed, purpose, (uint64_t)position, 0);
}

void mdm_augment_image(float *image, float *room, struct mdm_raster shape, const struct mdm_augment *how,
                       uint64_t seed, int64_t position)
{
    struct mdm_rng r;

    if (how->colour > 0) {
        r = stream(seed, MDM_DRAW_COLOUR, position);
        recolour(image, shape, how->colour, &r);
    }
    if (how->turn > 0) {
        r = stream(seed, MDM_DRAW_TURN, position);
        if (mdm_rng_uniform(&r) < how->turn)
            turn(image, room, shape, 1 + mdm_rng_range(&r, 3));
    }
    if (how->shift > 0) {
        const uint32_t places = 2 * (uint32_t)how->shift + 1;
        int64_t down;

        r = stream(seed, MDM_DRAW_SHIFT, position);
        down = (int64_t)mdm_rng_range(&r, places) - how->shift;
        move(image, room, shape, down, (int64_t)mdm_rng_range(&r, places) - how->shift);
    }
    r = stream(seed, MDM_DRAW_FLIP, position);
    if (mdm_rng_uniform(&r) < how->flip)
        mirror(image, shape);
}

void mdm_augment_window(float *to, const float *from, struct mdm_raster shape, int64_t margin_width, int64_t top,
                        int64_t left)
{
    const int64_t n = shape.width * shape.channels;

    from += (top * (shape.width + margin_width) + left) * shape.channels;
    for (int64_t y = 0; y < shape.height; y++, to += n, from += n + margin_width * shape.channels)
        memcpy(to, from, (size_t)n * sizeof *to);
}

void mdm_augment_draw_window(int64_t *top, int64_t *left, int64_t margin_height, int64_t margin_width, uint64_t seed,
                             int64_t position)
{
    struct mdm_rng r = stream(seed, MDM_DRAW_WINDOW, position);

    *top = mdm_rng_range(&r, (uint32_t)margin_height + 1);
    *left = mdm_rng_range(&r, (uint32_t)margin_width + 1);
}
