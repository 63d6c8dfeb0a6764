/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sheets of images; see sheet.h.
 */
#include "image/sheet.h"

#include "base/checked.h"
#include "image/codec.h"
#include "image/letter.h"

#include <stdlib.h>
#include <string.h>

enum {
    GAP = 2,          /* pixels around images as they are, */
    GAP_SCALED = 4,   /* and around those that are enlarged */
    SQUARE = 8,       /* of the checkerboard, */
    DARK = 204 * 257, /* whose other squares are white */
    WIDE = 128,       /* from here on letters are twice as large */
    LETTER = 9        /* units of a letter's grid, from the lowest to the highest */
};

static int side(int64_t *out, int64_t count, int64_t cell, int64_t gap)
{
    if (mdm_grid_side(out, count, cell, gap))
        return mdm_fail(MASKDM_EINVAL, "%lld cells of %lld pixels are too many", (long long)count, (long long)cell);
    return MASKDM_OK;
}

static int64_t letter_size(const struct mdm_sheet *s)
{
    return s->cell_width >= WIDE ? 2 : 1;
}

static int lay_out(struct mdm_sheet *s, int64_t *high, int64_t *wide, int64_t rows, int64_t height, int64_t width)
{
    const int64_t k = s->how.scale;

    if (mdm_mul_i64(&s->cell_height, height, k) || mdm_mul_i64(&s->cell_width, width, k))
        return mdm_fail(MASKDM_EINVAL, "images of %lld x %lld, %lld times as large", (long long)height,
                        (long long)width, (long long)k);
    s->gap = k > 1 ? GAP_SCALED : GAP;
    s->strip = s->how.captions ? (LETTER + 2) * letter_size(s) : 0;
    MDM_TRY(side(high, rows, s->cell_height + s->strip, s->gap));
    return side(wide, s->how.columns, s->cell_width, s->gap);
}

/* The first scale that makes it large enough. */
static int choose_scale(struct mdm_sheet *s, int64_t *high, int64_t *wide, int64_t rows, int64_t height,
                        int64_t width)
{
    for (s->how.scale = 1;; s->how.scale++) {
        MDM_TRY(lay_out(s, high, wide, rows, height, width));
        if (*high >= MDM_SHEET_SIDE || *wide >= MDM_SHEET_SIDE)
            return MASKDM_OK;
    }
}

int mdm_sheet_create(struct mdm_sheet *s, int64_t count, const struct mdm_sheet_how *how, int64_t height,
                     int64_t width, int channels)
{
    int64_t rows, high, wide;
    int r;

    *s = (struct mdm_sheet){.how = *how};
    if (s->how.columns < 1)
        s->how.columns = mdm_grid_columns(count);
    rows = (count - 1) / s->how.columns + 1;
    r = s->how.scale ? lay_out(s, &high, &wide, rows, height, width)
                     : choose_scale(s, &high, &wide, rows, height, width);
    if (r >= 0)
        r = mdm_image_create(&s->image, high, wide, channels - (channels % 2 == 0));
    if (r < 0)
        return mdm_fail_prefix(r, "a grid of %lld images in %lld columns", (long long)count,
                               (long long)s->how.columns);
    memset(s->image->sample, 0xff, (size_t)(high * wide * s->image->channels) * sizeof *s->image->sample);
    s->image->bits = s->how.bits;
    return MASKDM_OK;
}

void mdm_sheet_free(struct mdm_sheet *s)
{
    mdm_image_free(&s->image);
}

/* One pixel of an image at (y, x) of the sheet, over the checkerboard where it is transparent. */
static void put_pixel(struct mdm_sheet *s, int64_t y, int64_t x, const uint16_t *pixel, int channels)
{
    const int colours = s->image->channels;
    const double alpha = channels > colours ? pixel[colours] : 65535;
    const double under = (y / SQUARE + x / SQUARE) % 2 ? DARK : 65535;
    uint16_t *to = s->image->sample + (y * s->image->width + x) * colours;

    for (int c = 0; c < colours; c++)
        to[c] = channels == colours
                    ? pixel[c]
                    : mdm_sample_round((alpha * (double)pixel[c] + (65535 - alpha) * under) / 65535, s->image->bits);
}

/* A dot of a letter, a square of black. */
static void put_dot(struct mdm_sheet *s, int64_t top, int64_t left, int64_t size)
{
    const int colours = s->image->channels;

    for (int64_t y = top; y < top + size; y++)
        memset(s->image->sample + (y * s->image->width + left) * colours, 0,
               (size_t)(size * colours) * sizeof *s->image->sample);
}

/* From one point of a letter's grid to the next, in whole steps along the longer way. */
static void draw_stroke(struct mdm_sheet *s, int64_t bottom, int64_t left, const char from[2], const char to[2])
{
    const int dx = to[0] - from[0], dy = to[1] - from[1], n = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
    const int64_t size = letter_size(s);

    for (int i = 0; i <= n; i++) {
        const int x = from[0] - '0' + (n ? (2 * i * dx + (dx < 0 ? -n : n)) / (2 * n) : 0);
        const int y = from[1] - '0' + (n ? (2 * i * dy + (dy < 0 ? -n : n)) / (2 * n) : 0);

        put_dot(s, bottom - (y + 1) * size, left + x * size, size);
    }
}

/* As many letters as there is room for. */
static void write_caption(struct mdm_sheet *s, int64_t top, int64_t left, const char *text)
{
    const int64_t size = letter_size(s), right = left + s->cell_width, advance = MDM_LETTER_ADVANCE * size;

    for (; *text && left + advance - size <= right; text++) {
        if (((unsigned char)*text & 0xc0) == 0x80) /* goes on with a character that has its box */
            continue;
        for (const char *p = mdm_letter_strokes((unsigned char)*text); *p; p += p[2] == ' ' ? 3 : 2)
            if (p[2] && p[2] != ' ')
                draw_stroke(s, top + LETTER * size, left, p, p + 2);
        left += advance;
    }
}

void mdm_sheet_put(struct mdm_sheet *s, int64_t i, const maskdm_image *image, const char *caption)
{
    const int64_t k = s->how.scale, row = i / s->how.columns, column = i % s->how.columns;
    const int64_t top = s->gap + row * (s->cell_height + s->strip + s->gap);
    const int64_t left = s->gap + column * (s->cell_width + s->gap);

    for (int64_t y = 0; y < s->cell_height; y++)
        for (int64_t x = 0; x < s->cell_width; x++)
            put_pixel(s, top + y, left + x, image->sample + (y / k * image->width + x / k) * image->channels,
                      image->channels);
    if (caption && s->strip)
        write_caption(s, top + s->cell_height + letter_size(s), left, caption);
}
