/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scale and crop. The filter is Pillow's antialiased bicubic: Keys' cubic with a = -0.5, widened by the scale when
 * shrinking, weights normalised over the samples that exist; horizontal pass, then vertical, rounded and clipped to
 * the picture's depth after each, as Pillow does. Pictures of 8 bits come out as Pillow's to the bit: their weights
 * are rounded to 22 bits as there, and sums are then exact in double. Only what the crop keeps is computed, and only
 * the scaled rows that the vertical filter reaches over are held, in a ring.
 *
 * Where the picture has alpha, colours are weighted by it, so that invisible colours do not bleed in; then nothing is
 * rounded or clipped between the passes, since that would part colour from alpha.
 */
#include "image/resize.h"

#include "base/alloc.h"
#include "image/codec.h"

#include <math.h>

enum {
    SUPPORT = 2,    /* radius of the filter, in samples of the coarser side */
    FIXED = 1 << 22 /* the unit of Pillow's weights for 8 bits */
};

/* Sample i of the result is sum over k < count[i] of weight[i * most + k] * source[first[i] + k]. */
struct taps {
    int64_t n, most;
    int64_t *first, *count;
    double *weight;
};

static double bicubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

static void free_taps(struct taps *t)
{
    mdm_free(t->first);
    mdm_free(t->count);
    mdm_free(t->weight);
}

/* Results `at` .. `at` + n of scaling `in` samples of `bits` to `out`. Memory is about 4 * max(in, out) weights. */
static int make_taps(struct taps *t, int64_t in, int64_t out, int64_t at, int64_t n, int bits)
{
    double scale = (double)in / (double)out, wide = scale > 1 ? scale : 1, support = SUPPORT * wide;

    t->n = n;
    t->most = (int64_t)ceil(support) * 2 + 1;
    t->first = mdm_calloc((size_t)n, sizeof *t->first);
    t->count = mdm_calloc((size_t)n, sizeof *t->count);
    t->weight = mdm_calloc((size_t)(n * t->most), sizeof *t->weight);
    if (!t->first || !t->count || !t->weight)
        return mdm_fail_memory((size_t)(n * t->most) * sizeof *t->weight, "resizing an image");
    for (int64_t i = 0; i < n; i++) {
        double centre = ((double)(at + i) + 0.5) * scale, sum = 0, *w = t->weight + i * t->most;
        double low = centre - support + 0.5, high = centre + support + 0.5;
        int64_t first = low > 0 ? (int64_t)low : 0, last = high < (double)in ? (int64_t)high : in;

        for (int64_t k = 0; k < last - first; k++)
            sum += w[k] = bicubic(((double)(k + first) - centre + 0.5) / wide);
        for (int64_t k = 0; k < last - first; k++)
            w[k] = bits == 8 ? round(w[k] / sum * FIXED) / FIXED : w[k] / sum;
        t->first[i] = first;
        t->count[i] = last - first;
    }
    return MASKDM_OK;
}

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
    struct taps across, down;
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
    const struct taps *t = &z->across;
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
    const int64_t n = z->to->width * channels;

    for (int64_t x = 0; x < z->to->width; x++) {
        double sum[4] = {0};
        int64_t at = z->down.first[y] % z->depth;

        for (int64_t k = 0; k < z->down.count[y]; k++) {
            const float *v = z->ring + at * n + x * channels;

            for (int c = 0; c < channels; c++)
                sum[c] += w[k] * (double)v[c];
            at = at + 1 < z->depth ? at + 1 : 0;
        }
        store_pixel(z->to->sample + y * n + x * channels, sum, channels, z->to->bits);
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
    scale_row(z, z->ring + y % z->depth * z->to->width * z->to->channels, row);
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

/* The size before the crop: one side fits, the other is rounded to nearest and covers. */
static void cover(int64_t *all_height, int64_t *all_width, int64_t height, int64_t width, int64_t h, int64_t w)
{
    *all_height = h;
    *all_width = w;
    if (h * width >= w * height)
        *all_width = (2 * width * h + height) / (2 * height);
    else
        *all_height = (2 * height * w + width) / (2 * width);
}

/* Half of what is too much, halves to even, as torchvision's CenterCrop. */
static int64_t margin(int64_t extra)
{
    return (extra + (extra % 4 == 3)) / 2;
}

static int prepare(struct mdm_resize *z, int64_t height, int64_t width, int channels, int bits, int64_t to_height,
                   int64_t to_width)
{
    int64_t all_height, all_width;
    size_t line_bytes, ring_bytes;

    MDM_TRY(mdm_image_create(&z->to, to_height, to_width, channels));
    z->to->bits = bits;
    cover(&all_height, &all_width, height, width, to_height, to_width);
    MDM_TRY(make_taps(&z->across, width, all_width, margin(all_width - to_width), to_width, bits));
    MDM_TRY(make_taps(&z->down, height, all_height, margin(all_height - to_height), to_height, bits));
    z->in_width = width;
    z->first = z->down.first[0];
    z->last = z->down.first[to_height - 1] + z->down.count[to_height - 1];
    z->below = to_height;
    z->depth = z->down.most < z->last - z->first ? z->down.most : z->last - z->first;
    line_bytes = (size_t)(width * channels) * sizeof *z->line;
    ring_bytes = (size_t)(z->depth * to_width * channels) * sizeof *z->ring;
    z->line = mdm_malloc(line_bytes);
    z->ring = mdm_malloc(ring_bytes);
    return z->line && z->ring ? MASKDM_OK : mdm_fail_memory(line_bytes + ring_bytes, "resizing an image");
}

int mdm_resize_create(struct mdm_resize **out, int64_t height, int64_t width, int channels, int bits,
                      int64_t to_height, int64_t to_width)
{
    int r;

    *out = mdm_calloc(1, sizeof **out);
    if (!*out)
        return mdm_fail_memory(sizeof **out, "resizing an image");
    r = prepare(*out, height, width, channels, bits, to_height, to_width);
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
    free_taps(&old->across);
    free_taps(&old->down);
    mdm_free(old->line);
    mdm_free(old->ring);
    mdm_free(old);
}

int mdm_image_fit(maskdm_image **out, const maskdm_image *m, int64_t height, int64_t width)
{
    struct mdm_resize *z;

    *out = NULL;
    MDM_TRY(mdm_resize_create(&z, m->height, m->width, m->channels, m->bits, height, width));
    for (int64_t y = 0; y < m->height; y++)
        mdm_resize_put(z, y, m->sample + y * m->width * m->channels);
    *out = mdm_resize_take(z);
    mdm_resize_release(&z);
    return MASKDM_OK;
}
