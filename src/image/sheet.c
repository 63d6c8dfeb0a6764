/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sheets of images; see sheet.h. Unscaled and without captions one is as mdm_image_sheet() has it.
 */
#include "image/sheet.h"

#include "base/checked.h"
#include "image/codec.h"
#include "image/font.h"

#include <string.h>

enum {
    GAP = 2,          /* pixels around images as they are, */
    GAP_SCALED = 4,   /* and around those that are enlarged */
    SQUARE = 8,       /* of the checkerboard, */
    DARK = 204 * 257, /* whose other squares are white */
    WIDE = 128,       /* from here on letters are twice as large */
    BELOW = 3         /* pixels below a caption */
};

static int side(int64_t *out, int64_t count, int64_t cell, int64_t gap)
{
    int64_t with_gap, all;

    if (mdm_add_i64(&with_gap, cell, gap) || mdm_mul_i64(&all, with_gap, count) || mdm_add_i64(out, all, gap))
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
    s->strip = s->how.captions ? MDM_FONT_HEIGHT * letter_size(s) + BELOW : 0;
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

static int near_square(int64_t count)
{
    int n = 1;

    while (n < MDM_PICTURE_SIDE && (int64_t)n * n < count)
        n++;
    return n;
}

int mdm_sheet_create(struct mdm_sheet *s, int64_t count, const struct mdm_sheet_how *how, int64_t height,
                     int64_t width, int channels, int bits)
{
    int64_t rows, high, wide;
    int r;

    *s = (struct mdm_sheet){.how = *how};
    if (s->how.columns < 1)
        s->how.columns = near_square(count);
    rows = (count - 1) / s->how.columns + 1;
    r = s->how.scale ? lay_out(s, &high, &wide, rows, height, width)
                     : choose_scale(s, &high, &wide, rows, height, width);
    if (r >= 0)
        r = mdm_image_create(&s->image, high, wide, channels - (channels % 2 == 0));
    if (r < 0)
        return mdm_fail_prefix(r, "a grid of %lld images in %lld columns", (long long)count,
                               (long long)s->how.columns);
    memset(s->image->sample, 0xff, (size_t)(high * wide * s->image->channels) * sizeof *s->image->sample);
    s->image->bits = bits;
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

/* Letters in black, as many as there is room for. */
static void write_caption(struct mdm_sheet *s, int64_t top, int64_t left, const char *text)
{
    const int64_t size = letter_size(s), right = left + s->cell_width;
    const int colours = s->image->channels;

    for (; *text && left + MDM_FONT_WIDTH * size <= right; text = mdm_font_next(text)) {
        for (int64_t y = 0; y < MDM_FONT_HEIGHT * size; y++)
            for (int64_t x = 0; x < MDM_FONT_WIDTH * size; x++)
                if (mdm_font_has(text, (int)(y / size), (int)(x / size)))
                    memset(s->image->sample + ((top + y) * s->image->width + left + x) * colours, 0,
                           (size_t)colours * sizeof *s->image->sample);
        left += (MDM_FONT_WIDTH + 1) * size;
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
        write_caption(s, top + s->cell_height + 2, left, caption);
}
