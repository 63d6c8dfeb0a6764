/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scale and crop. The filter is Pillow's antialiased bicubic: Keys' cubic with a = -0.5, widened by the scale when
 * shrinking, weights normalised over the samples that exist; horizontal pass, then vertical, rounded and clipped to
 * the picture's depth after each, as Pillow does. Pictures of 8 bits come out as Pillow's to the bit: their weights
 * are rounded to 22 bits as there, and sums are then exact in double. Only what the crop keeps is computed.
 *
 * Where the picture has alpha, colours are weighted by it, so that invisible colours do not bleed in; then nothing is
 * rounded or clipped between the passes, since that would part colour from alpha.
 */
#include "io/codec.h"
#include "util/alloc.h"

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
    maskdm_free(t->first);
    maskdm_free(t->count);
    maskdm_free(t->weight);
}

/* Results `at` .. `at` + n of scaling `in` samples of `bits` to `out`. Memory is about 4 * max(in, out) weights. */
static int make_taps(struct taps *t, int64_t in, int64_t out, int64_t at, int64_t n, int bits,
                     struct maskdm_failure *f)
{
    double scale = (double)in / (double)out, wide = scale > 1 ? scale : 1, support = SUPPORT * wide;

    t->n = n;
    t->most = (int64_t)ceil(support) * 2 + 1;
    t->first = maskdm_calloc((size_t)n, sizeof *t->first);
    t->count = maskdm_calloc((size_t)n, sizeof *t->count);
    t->weight = maskdm_calloc((size_t)(n * t->most), sizeof *t->weight);
    if (!t->first || !t->count || !t->weight)
        return maskdm_picture_memory(f, (size_t)(n * t->most) * sizeof *t->weight, "resizing an image");
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
        to[channels - 1] = maskdm_sample_round(from[channels - 1], bits);
        a = from[--channels];
    }
    for (int c = 0; c < channels; c++)
        to[c] = a > 0 ? maskdm_sample_round(from[c] * 65535 / a, bits) : 0;
}

/* rows[0 .. n): source rows `top` .. of `m`, scaled to the width of `t`. */
static void scale_rows(float *rows, double *line, const maskdm_image *m, int64_t top, int64_t n, const struct taps *t)
{
    int channels = m->channels, alpha = channels % 2 == 0;

    for (int64_t y = 0; y < n; y++) {
        load_row(line, m->sample + (top + y) * m->width * channels, m->width, channels);
        for (int64_t x = 0; x < t->n; x++)
            for (int c = 0; c < channels; c++) {
                const double *w = t->weight + x * t->most, *v = line + t->first[x] * channels + c;
                double sum = 0;

                for (int64_t k = 0; k < t->count[x]; k++)
                    sum += w[k] * v[k * channels];
                rows[(y * t->n + x) * channels + c] = alpha ? (float)sum : maskdm_sample_round(sum, m->bits);
            }
    }
}

static void scale_columns(maskdm_image *to, const float *rows, int64_t top, const struct taps *t)
{
    int channels = to->channels;

    for (int64_t y = 0; y < t->n; y++)
        for (int64_t x = 0; x < to->width; x++) {
            const double *w = t->weight + y * t->most;
            const float *v = rows + ((t->first[y] - top) * to->width + x) * channels;
            double sum[4] = {0};

            for (int64_t k = 0; k < t->count[y]; k++)
                for (int c = 0; c < channels; c++)
                    sum[c] += w[k] * (double)v[k * to->width * channels + c];
            store_pixel(to->sample + (y * to->width + x) * channels, sum, channels, to->bits);
        }
}

/* The size before the crop: one side fits, the other is rounded to nearest and covers. */
static void cover(int64_t *height, int64_t *width, const maskdm_image *m, int64_t h, int64_t w)
{
    *height = h;
    *width = w;
    if (h * m->width >= w * m->height)
        *width = (2 * m->width * h + m->height) / (2 * m->height);
    else
        *height = (2 * m->height * w + m->width) / (2 * m->width);
}

/* Half of what is too much, halves to even, as torchvision's CenterCrop. */
static int64_t margin(int64_t extra)
{
    return (extra + (extra % 4 == 3)) / 2;
}

int maskdm_picture_fit(maskdm_image **out, const maskdm_image *m, int64_t height, int64_t width,
                       struct maskdm_failure *f)
{
    struct taps across = {0}, down = {0};
    int64_t all_height, all_width, top, rows;
    size_t line_bytes, row_bytes;
    maskdm_image *n = NULL;
    double *line = NULL;
    float *half = NULL;
    int r;

    *out = NULL;
    MASKDM_TRY(maskdm_picture_create(&n, height, width, m->channels, f));
    n->bits = m->bits;
    cover(&all_height, &all_width, m, height, width);
    if ((r = make_taps(&across, m->width, all_width, margin(all_width - width), width, m->bits, f)) < 0 ||
        (r = make_taps(&down, m->height, all_height, margin(all_height - height), height, m->bits, f)) < 0)
        goto out;
    top = down.first[0];
    rows = down.first[height - 1] + down.count[height - 1] - top;
    line_bytes = (size_t)(m->width * m->channels) * sizeof *line;
    row_bytes = (size_t)(rows * width * m->channels) * sizeof *half;
    line = maskdm_malloc(line_bytes);
    half = maskdm_malloc(row_bytes);
    if (!line || !half) {
        r = maskdm_picture_memory(f, line_bytes + row_bytes, "resizing an image");
        goto out;
    }
    scale_rows(half, line, m, top, rows, &across);
    scale_columns(n, half, top, &down);
    *out = n;
    n = NULL;
out:
    maskdm_picture_free(&n);
    free_taps(&across);
    free_taps(&down);
    maskdm_free(line);
    maskdm_free(half);
    return r;
}
