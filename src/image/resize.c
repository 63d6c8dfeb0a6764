/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scale and cut, or scale and put on a background. Horizontal pass, then vertical, rounded and clipped to the
 * picture's depth after each, as Pillow does; the weights are those of image/taps.h. Only what the cut keeps is
 * computed, and only the scaled rows that the vertical filter reaches over are held, in a ring.
 *
 * Where the picture has alpha, colours are weighted by it, so that invisible colours do not bleed in; then nothing is
 * rounded or clipped between the passes, since that would part colour from alpha.
 */
#include "image/resize.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/taps.h"

#include <string.h>

static void load_row(double *to, const uint16_t *from, int64_t width, int channels)
{
    int alpha = channels % 2 == 0;

    for (int64_t i = 0; i < width * channels; i++)
        to[i] = from[i];
    if (alpha)
        for (int64_t x = 0; x < width; x++)
            for (int c = 0; c < channels - 1; c++)
                to[x * channels + c] *= from[x * channels + channels - 1] / 65535.0;
}

static void store_pixel(uint16_t *to, const double *from, int channels, int bits)
{
    double a = 65535;

    if (channels % 2 == 0) {
        to[channels - 1] = mdm_sample_round(from[channels - 1], bits);
        a = from[--channels];
    }
    for (int c = 0; c < channels; c++)
        to[c] = a > 0 ? mdm_sample_round(from[c] * 65535 / a, bits) : 0;
}

struct mdm_resize {
    maskdm_image *to;
    int64_t rows, columns, top, left; /* of the part of it that comes from the source: all, or what is padded */
    struct mdm_taps across, down;
    int64_t in_width, first, last; /* rows first .. last of the source are looked at */
    int64_t low, high;             /* of these, rows low .. high have come */
    int64_t above, below;          /* results above .. below are still to be made */
    int64_t depth;                 /* rows that the ring holds; row y stands at y % depth */
    double *line;                  /* one source row */
    float *ring;
};

/* A source row, scaled to the width of the result. */
static void scale_row(struct mdm_resize *z, float *to, const uint16_t *row)
{
    const struct mdm_taps *t = &z->across;
    const int channels = z->to->channels, alpha = channels % 2 == 0;

    load_row(z->line, row, z->in_width, channels);
    for (int64_t x = 0; x < t->n; x++)
        for (int c = 0; c < channels; c++) {
            const double *w = t->weight + x * t->most, *v = z->line + t->first[x] * channels + c;
            double sum = 0;

            for (int64_t k = 0; k < t->count[x]; k++)
                sum += w[k] * v[k * channels];
            to[x * channels + c] = alpha ? (float)sum : mdm_sample_round(sum, z->to->bits);
        }
}

/* Row y of the result, whose sources are all in the ring. */
static void make_row(struct mdm_resize *z, int64_t y)
{
    const double *w = z->down.weight + y * z->down.most;
    const int channels = z->to->channels;
    const int64_t n = z->columns * channels;
    uint16_t *to = z->to->sample + ((z->top + y) * z->to->width + z->left) * channels;

    for (int64_t x = 0; x < z->columns; x++) {
        double sum[4] = {0};
        int64_t at = z->down.first[y] % z->depth;

        for (int64_t k = 0; k < z->down.count[y]; k++) {
            const float *v = z->ring + at * n + x * channels;

            for (int c = 0; c < channels; c++)
                sum[c] += w[k] * (double)v[c];
            at = at + 1 < z->depth ? at + 1 : 0;
        }
        store_pixel(to + x * channels, sum, channels, z->to->bits);
    }
}

static int is_ready(const struct mdm_resize *z, int64_t y)
{
    return z->down.first[y] >= z->low && z->down.first[y] + z->down.count[y] <= z->high;
}

void mdm_resize_put(struct mdm_resize *z, int64_t y, const uint16_t *row)
{
    if (y < z->first || y >= z->last)
        return;
    scale_row(z, z->ring + y % z->depth * z->columns * z->to->channels, row);
    if (z->low == z->high)
        z->low = z->high = y;
    if (y == z->high)
        z->high++;
    else
        z->low = y;
    while (z->above < z->below && is_ready(z, z->above))
        make_row(z, z->above++);
    while (z->above < z->below && is_ready(z, z->below - 1))
        make_row(z, --z->below);
}

/* The size before the cut: one side fits, the other is rounded to nearest. It covers, or else lies within. */
static void scale(int64_t *all_height, int64_t *all_width, int64_t height, int64_t width, int64_t h, int64_t w,
                  int covers)
{
    const int by_height = covers ? h * width >= w * height : h * width <= w * height;

    *all_height = h;
    *all_width = w;
    if (by_height)
        *all_width = (2 * width * h + height) / (2 * height);
    else
        *all_height = (2 * height * w + width) / (2 * width);
    *all_height += !*all_height;
    *all_width += !*all_width;
}

/* Half of what is too much, halves to even, as torchvision's CenterCrop. */
static int64_t margin(int64_t extra)
{
    return (extra + (extra % 4 == 3)) / 2;
}

/* All of it in the background's colour, or transparent where it can be. */
static void fill(maskdm_image *m, const float *background)
{
    const int channels = m->channels;
    uint16_t pixel[4] = {0};

    for (int c = 0; c < channels && channels % 2; c++)
        pixel[c] = mdm_sample_round((double)background[c] * 65535, m->bits);
    for (int64_t i = 0; i < m->height * m->width; i++)
        memcpy(m->sample + i * channels, pixel, (size_t)channels * sizeof *pixel);
}

/* How the source is scaled, and which part of the result it makes. */
static int place(struct mdm_resize *z, int64_t height, int64_t width, const struct mdm_reading *how)
{
    const int64_t h = how->height, w = how->width;
    const int bits = z->to->bits;
    int64_t all_height = h, all_width = w;

    if (how->cut != MDM_CUT_NOTHING)
        scale(&all_height, &all_width, height, width, h, w, how->cut == MDM_CUT_CENTRE);
    z->rows = all_height < h ? all_height : h;
    z->columns = all_width < w ? all_width : w;
    z->top = (h - z->rows) / 2;
    z->left = (w - z->columns) / 2;
    if (z->rows < h || z->columns < w)
        fill(z->to, how->background);
    MDM_TRY(
        mdm_taps_make(&z->across, how->filter, width, all_width, margin(all_width - z->columns), z->columns, bits));
    return mdm_taps_make(&z->down, how->filter, height, all_height, margin(all_height - z->rows), z->rows, bits);
}

static int prepare(struct mdm_resize *z, int64_t height, int64_t width, int channels, int bits,
                   const struct mdm_reading *how)
{
    size_t line_bytes, ring_bytes;

    MDM_TRY(mdm_image_create(&z->to, how->height, how->width, channels));
    z->to->bits = bits;
    MDM_TRY(place(z, height, width, how));
    z->in_width = width;
    z->first = z->down.first[0];
    z->last = z->down.first[z->rows - 1] + z->down.count[z->rows - 1];
    z->below = z->rows;
    z->depth = z->down.most < z->last - z->first ? z->down.most : z->last - z->first;
    line_bytes = (size_t)(width * channels) * sizeof *z->line;
    ring_bytes = (size_t)(z->depth * z->columns * channels) * sizeof *z->ring;
    z->line = mdm_malloc(line_bytes);
    z->ring = mdm_malloc(ring_bytes);
    return z->line && z->ring ? MASKDM_OK : mdm_fail_memory(line_bytes + ring_bytes, "resizing an image");
}

int mdm_resize_create(struct mdm_resize **out, int64_t height, int64_t width, int channels, int bits,
                      const struct mdm_reading *how)
{
    int r;

    *out = mdm_calloc(1, sizeof **out);
    if (!*out)
        return mdm_fail_memory(sizeof **out, "resizing an image");
    r = prepare(*out, height, width, channels, bits, how);
    if (r < 0)
        mdm_resize_release(out);
    return r;
}

maskdm_image *mdm_resize_take(struct mdm_resize *z)
{
    maskdm_image *m = z->to;

    z->to = NULL;
    return m;
}

void mdm_resize_release(struct mdm_resize **z)
{
    struct mdm_resize *old = *z;

    *z = NULL;
    if (!old)
        return;
    mdm_image_free(&old->to);
    mdm_taps_free(&old->across);
    mdm_taps_free(&old->down);
    mdm_free(old->line);
    mdm_free(old->ring);
    mdm_free(old);
}

int mdm_image_fit(maskdm_image **out, const maskdm_image *m, int64_t height, int64_t width)
{
    struct mdm_reading how = mdm_reading_standard;
    struct mdm_resize *z;

    *out = NULL;
    how.height = height;
    how.width = width;
    MDM_TRY(mdm_resize_create(&z, m->height, m->width, m->channels, m->bits, &how));
    for (int64_t y = 0; y < m->height; y++)
        mdm_resize_put(z, y, m->sample + y * m->width * m->channels);
    *out = mdm_resize_take(z);
    mdm_resize_release(&z);
    return MASKDM_OK;
}
