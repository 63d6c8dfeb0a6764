/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A chart in pixels. All is strokes, letters too, and a pixel takes of a stroke's color what its centre's distance
 * from the stroke leaves: smooth at any width, and one loop.
 */
#include "run/canvas.h"

#include "base/alloc.h"
#include "base/error.h"
#include "image/image.h"
#include "image/letter.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = 3 };

struct pixels {
    struct mdm_canvas base;
    maskdm_image *image;
};

static double distance(struct mdm_point p, struct mdm_point a, struct mdm_point b)
{
    const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

static void blend(maskdm_image *image, int64_t row, int64_t column, unsigned color, double share)
{
    uint16_t *at = image->sample + (row * image->width + column) * CHANNELS;

    for (int k = 0; k < CHANNELS; k++) {
        const double wanted = (color >> (16 - 8 * k)) & 0xff, there = at[k] / 257.0;

        at[k] = (uint16_t)(257 * (int)lround(there + share * (wanted - there)));
    }
}

static int64_t clamp(double x, int64_t most)
{
    return x < 0 ? 0 : x > (double)most ? most : (int64_t)x;
}

static void stroke(maskdm_image *image, struct mdm_point a, struct mdm_point b, unsigned color, double width)
{
    const double reach = width / 2 + 0.5;
    const int64_t left = clamp(fmin(a.x, b.x) - reach, image->width),
                  top = clamp(fmin(a.y, b.y) - reach, image->height),
                  right = clamp(fmax(a.x, b.x) + reach + 1, image->width),
                  bottom = clamp(fmax(a.y, b.y) + reach + 1, image->height);

    for (int64_t row = top; row < bottom; row++)
        for (int64_t column = left; column < right; column++) {
            const struct mdm_point centre = {(double)column + 0.5, (double)row + 0.5};
            const double share = reach - distance(centre, a, b);

            if (share > 0)
                blend(image, row, column, color, share < 1 ? share : 1);
        }
}

static void draw_line(struct mdm_canvas *canvas, const struct mdm_point *p, int64_t count, unsigned color,
                      double width)
{
    maskdm_image *image = ((struct pixels *)canvas)->image;

    if (count == 1)
        stroke(image, p[0], p[0], color, width);
    for (int64_t i = 1; i < count; i++)
        stroke(image, p[i - 1], p[i], color, width);
}

/* One letter, whose grid's lower left corner is at `at`. */
static void draw_letter(maskdm_image *image, struct mdm_point at, double unit, unsigned color, unsigned char letter)
{
    struct mdm_point last = {0, 0};
    int begun = 0;

    for (const char *s = mdm_letter_strokes(letter); *s; s += begun ? 2 : 1) {
        struct mdm_point next;

        if (*s == ' ') {
            begun = 0;
            continue;
        }
        next = (struct mdm_point){at.x + unit * (s[0] - '0'), at.y - unit * (s[1] - '0' - 2)};
        if (begun)
            stroke(image, last, next, color, 1.3);
        last = next;
        begun = 1;
    }
}

/* The size is that of a font: capitals are 0.7 of it. Bytes beyond ASCII that begin no character are passed over. */
static void draw_words(struct mdm_canvas *canvas, struct mdm_point at, enum mdm_anchor anchor, double size,
                       unsigned color, const char *words)
{
    const double unit = 0.7 * size / 6;
    double width = 0;

    for (const char *s = words; *s; s++)
        width += ((unsigned char)*s & 0xc0) != 0x80 ? MDM_LETTER_ADVANCE * unit : 0;
    at.x -= anchor == MDM_ANCHOR_START ? 0 : anchor == MDM_ANCHOR_MIDDLE ? width / 2 : width;
    for (const char *s = words; *s; s++) {
        if (((unsigned char)*s & 0xc0) == 0x80)
            continue;
        draw_letter(((struct pixels *)canvas)->image, at, unit, color, (unsigned char)*s);
        at.x += MDM_LETTER_ADVANCE * unit;
    }
}

static int finish(struct mdm_canvas *canvas, struct mdm_writer **writer)
{
    struct pixels *c = (struct pixels *)canvas;
    int status = mdm_image_encode_png(c->image, writer, 8);

    mdm_image_free(&c->image);
    mdm_free(c);
    return status;
}

int mdm_canvas_png(struct mdm_canvas **out, int64_t width, int64_t height)
{
    static const struct mdm_canvas_class kind = {draw_line, draw_words, finish};
    struct pixels *c = mdm_need(1, sizeof *c, "a chart");
    int status;

    *out = NULL;
    if (!c)
        return MASKDM_ENOMEM;
    c->base = (struct mdm_canvas){&kind, width, height};
    status = mdm_image_create(&c->image, height, width, CHANNELS);
    if (status < 0) {
        mdm_free(c);
        return status;
    }
    memset(c->image->sample, 0xff, (size_t)(height * width) * CHANNELS * sizeof *c->image->sample);
    c->image->bits = 8;
    *out = &c->base;
    return MASKDM_OK;
}
