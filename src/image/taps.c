/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filters of scaling; see taps.h.
 */
#include "image/taps.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

enum { FIXED = 1 << 22 /* the unit of Pillow's weights for 8 bits */ };

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

static double area(double x)
{
    return x > -0.5 && x <= 0.5;
}

static const struct {
    double support;         /* radius, in samples of the coarser side */
    double (*at)(double x); /* NULL: the sample under the centre alone */
} filters[] = {
    [MDM_FILTER_BICUBIC] = {2, bicubic}, [MDM_FILTER_AREA] = {0.5, area}, [MDM_FILTER_NEAREST] = {0, NULL}};

/* The samples that result i looks at, and how much each counts. */
static void weigh(struct mdm_taps *t, int64_t i, enum mdm_filter filter, double centre, double wide, int64_t in,
                  int bits)
{
    const double support = filters[filter].support * wide, low = centre - support + 0.5,
                 high = centre + support + 0.5;
    const int64_t first = low > 0 ? (int64_t)low : 0, last = high < (double)in ? (int64_t)high : in;
    double sum = 0, *w = t->weight + i * t->most;

    for (int64_t k = 0; k < last - first; k++)
        sum += w[k] = filters[filter].at(((double)(k + first) - centre + 0.5) / wide);
    for (int64_t k = 0; k < last - first; k++)
        w[k] = bits == 8 ? round(w[k] / sum * FIXED) / FIXED : w[k] / sum;
    t->first[i] = first;
    t->count[i] = last - first;
}

static void take_nearest(struct mdm_taps *t, int64_t i, double centre, int64_t in)
{
    t->first[i] = centre < (double)in ? (int64_t)centre : in - 1;
    t->count[i] = 1;
    t->weight[i * t->most] = 1;
}

int mdm_taps_make(struct mdm_taps *t, enum mdm_filter filter, int64_t in, int64_t out, int64_t at, int64_t n,
                  int bits)
{
    const double scale = (double)in / (double)out, wide = scale > 1 ? scale : 1;

    t->n = n;
    t->most = (int64_t)ceil(filters[filter].support * wide) * 2 + 1;
    t->first = mdm_calloc((size_t)n, sizeof *t->first);
    t->count = mdm_calloc((size_t)n, sizeof *t->count);
    t->weight = mdm_calloc((size_t)(n * t->most), sizeof *t->weight);
    if (!t->first || !t->count || !t->weight)
        return mdm_fail_memory((size_t)(n * t->most) * sizeof *t->weight, "resizing an image");
    for (int64_t i = 0; i < n; i++) {
        const double centre = ((double)(at + i) + 0.5) * scale;

        if (filters[filter].at)
            weigh(t, i, filter, centre, wide, in, bits);
        else
            take_nearest(t, i, centre, in);
    }
    return MASKDM_OK;
}

void mdm_taps_free(struct mdm_taps *t)
{
    mdm_free(t->first);
    mdm_free(t->count);
    mdm_free(t->weight);
}
