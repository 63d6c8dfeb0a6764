/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sheets of images; see sheet.h.
 */
#include "image/sheet.h"

#include "base/checked.h"
#include "image/codec.h"

#include <string.h>

enum {
    GAP = 2,         /* pixels around images as they are, */
    GAP_SCALED = 4,  /* and around those that are enlarged */
    SQUARE = 8,      /* of the checkerboard, */
    DARK = 204 * 257 /* whose other squares are white */
};

static int side(int64_t *out, int64_t count, int64_t cell, int64_t gap)
{
    if (mdm_grid_side(out, count, cell, gap))
        return mdm_fail(MASKDM_EINVAL, "%lld cells of %lld pixels are too many", (long long)count, (long long)cell);
    return MASKDM_OK;
}

static int lay_out(struct mdm_sheet *s, int64_t *high, int64_t *wide, int64_t rows, int64_t height, int64_t width)
{
    const int64_t k = s->scale;

    if (mdm_mul_i64(&s->cell_height, height, k) || mdm_mul_i64(&s->cell_width, width, k))
        return mdm_fail(MASKDM_EINVAL, "images of %lld x %lld, %lld times as large", (long long)height,
                        (long long)width, (long long)k);
    s->gap = k > 1 ? GAP_SCALED : GAP;
    MDM_TRY(side(high, rows, s->cell_height, s->gap));
    return side(wide, s->columns, s->cell_width, s->gap);
}

/* The first scale that makes it large enough. */
static int choose_scale(struct mdm_sheet *s, int64_t *high, int64_t *wide, int64_t rows, int64_t height,
                        int64_t width)
{
    for (s->scale = 1;; s->scale++) {
        MDM_TRY(lay_out(s, high, wide, rows, height, width));
        if (*high >= MDM_SHEET_SIDE || *wide >= MDM_SHEET_SIDE)
            return MASKDM_OK;
    }
}

int mdm_sheet_create(struct mdm_sheet *s, int64_t count, int64_t columns, int64_t height, int64_t width, int channels)
{
    int64_t rows, high, wide;
    int r;

    *s = (struct mdm_sheet){.columns = columns < 1 ? mdm_grid_columns(count) : columns};
    rows = (count - 1) / s->columns + 1;
    r = choose_scale(s, &high, &wide, rows, height, width);
    if (r >= 0)
        r = mdm_image_create(&s->image, high, wide, channels - (channels % 2 == 0));
    if (r < 0)
        return mdm_fail_prefix(r, "a grid of %lld images in %lld columns", (long long)count, (long long)s->columns);
    memset(s->image->sample, 0xff, (size_t)(high * wide * s->image->channels) * sizeof *s->image->sample);
    s->image->bits = 8;
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

void mdm_sheet_put(struct mdm_sheet *s, int64_t i, const maskdm_image *image)
{
    const int64_t k = s->scale, row = i / s->columns, column = i % s->columns;
    const int64_t top = s->gap + row * (s->cell_height + s->gap);
    const int64_t left = s->gap + column * (s->cell_width + s->gap);

    for (int64_t y = 0; y < s->cell_height; y++)
        for (int64_t x = 0; x < s->cell_width; x++)
            put_pixel(s, top + y, left + x, image->sample + (y / k * image->width + x / k) * image->channels,
                      image->channels);
}
