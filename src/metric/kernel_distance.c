/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel distance (Bińkowski et al., "Demystifying MMD GANs", 2018): the unbiased estimate of the squared maximum
 * mean discrepancy under a polynomial kernel, of subsets that are drawn without putting back.
 */
#include "metric/features.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

struct sums {
    struct mdm_rows a, b;
    int64_t count, width, degree;
    double scale, offset;
    int itself;      /* one set with itself: a row's product with itself does not count */
    double *sum;     /* of each tile */
    double *product; /* [workers, MDM_TILE * MDM_TILE] */
    struct mdm_product_room *room;
};

static double power(double x, int64_t degree)
{
    double y = x;

    while (--degree > 0)
        y *= x;
    return y;
}

static int sum_tile(void *arg, int64_t t, int worker)
{
    struct sums *s = arg;
    const int64_t across = mdm_tiles(s->count);
    const struct mdm_strip a = mdm_tile(&s->a, t / across, s->count), b = mdm_tile(&s->b, t % across, s->count);
    double *product = s->product + (int64_t)worker * MDM_TILE * MDM_TILE, sum = 0;

    memset(product, 0, MDM_TILE * MDM_TILE * sizeof *product);
    mdm_product_tile(product, MDM_TILE, a, b, s->width, s->room + worker);
    for (int64_t i = 0; i < a.count; i++)
        for (int64_t j = 0; j < b.count; j++)
            if (!s->itself || a.first + i != b.first + j)
                sum += power(product[i * MDM_TILE + j] * s->scale + s->offset, s->degree);
    s->sum[t] = sum;
    return MASKDM_OK;
}

/* Over all pairs. */
static int sum_pairs(struct sums *s, struct mdm_rows a, struct mdm_rows b, int itself, maskdm_device *device,
                     maskdm_control *control, double *out)
{
    const int64_t tiles = mdm_tiles(s->count) * mdm_tiles(s->count);

    s->a = a;
    s->b = b;
    s->itself = itself;
    MDM_TRY(mdm_metric_loop(device, control, "the kernel distance", tiles, sum_tile, s));
    *out = 0;
    for (int64_t t = 0; t < tiles; t++)
        *out += s->sum[t];
    return MASKDM_OK;
}

static int estimate(struct sums *s, struct mdm_rows a, struct mdm_rows b, maskdm_device *device,
                    maskdm_control *control, double *out)
{
    const double m = (double)s->count;
    double aa, bb, ab;

    MDM_TRY(sum_pairs(s, a, a, 1, device, control, &aa));
    MDM_TRY(sum_pairs(s, b, b, 1, device, control, &bb));
    MDM_TRY(sum_pairs(s, a, b, 0, device, control, &ab));
    *out = (aa + bb) / (m * (m - 1)) - 2 * ab / (m * m);
    return MASKDM_OK;
}

/* With what subsets of `count` rows take. */
static int begin(struct sums *s, const maskdm_features *a, int64_t count, const struct mdm_metric_options *told)
{
    const size_t tiles = (size_t)mdm_tiles(count), workers = (size_t)mdm_device_workers(a->device);

    *s = (struct sums){.count = count,
                       .width = a->width,
                       .degree = told->kernel_degree,
                       .scale = told->kernel_scale > 0 ? told->kernel_scale : 1 / (double)a->width,
                       .offset = told->kernel_offset};
    s->sum = mdm_need(tiles, tiles * sizeof *s->sum, "sums of a kernel");
    s->product = mdm_need_aligned(workers * MDM_TILE * MDM_TILE * sizeof *s->product, "the products of a metric");
    s->room = mdm_product_rooms(a->device);
    return s->sum && s->product && s->room ? MASKDM_OK : MASKDM_ENOMEM;
}

static void finish(struct sums *s)
{
    mdm_free(s->sum);
    mdm_free(s->product);
    mdm_free(s->room);
}

static struct mdm_rows chosen(const maskdm_features *f, const int32_t *index)
{
    struct mdm_rows r = mdm_features_rows(f);

    r.index = index;
    return r;
}

static int check_index(const maskdm_features *f, const int32_t *index, int64_t count)
{
    for (int64_t i = 0; index && i < count; i++)
        if (index[i] < 0 || index[i] >= f->count)
            return mdm_fail(MASKDM_EINVAL, "row %d at place %lld is not among the %lld rows of features",
                            (int)index[i], (long long)i, (long long)f->count);
    return MASKDM_OK;
}

int mdm_features_mmd(const maskdm_features *a, const int32_t *a_index, const maskdm_features *b,
                     const int32_t *b_index, int64_t count, const struct mdm_metric_options *told,
                     maskdm_control *control, double *out)
{
    struct sums s;
    int status;

    if (count < 2)
        return mdm_fail(MASKDM_EINVAL, "a kernel distance takes at least 2 rows of features, not %lld",
                        (long long)count);
    MDM_TRY(mdm_features_check(a, b, count, "this kernel distance"));
    MDM_TRY(check_index(a, a_index, count));
    MDM_TRY(check_index(b, b_index, count));
    status = begin(&s, a, count, told);
    if (status >= 0)
        status = estimate(&s, chosen(a, a_index), chosen(b, b_index), a->device, control, out);
    finish(&s);
    return status;
}

static int draw_all(struct sums *s, const maskdm_features *a, const maskdm_features *b,
                    const struct mdm_metric_options *told, maskdm_control *control, int32_t *index, double *out)
{
    for (int64_t k = 0; k < told->subsets; k++) {
        struct mdm_rng r = mdm_rng_make((uint64_t)told->metric_seed, MDM_DRAW_SUBSET, 0, (uint64_t)k);
        struct maskdm_progress progress = mdm_progress_blank();

        mdm_rng_choose(&r, index, s->count, a->count);
        mdm_rng_choose(&r, index + s->count, s->count, b->count);
        MDM_TRY(estimate(s, chosen(a, index), chosen(b, index + s->count), a->device, control, out + k));
        progress.step = k + 1;
        progress.steps = told->subsets;
        mdm_control_report(control, &progress);
    }
    return MASKDM_OK;
}

int mdm_features_kid(const maskdm_features *a, const maskdm_features *b, const struct mdm_metric_options *told,
                     maskdm_control *control, double *mean, double *deviation)
{
    const int64_t n = told->subsets, fewer = a->count < b->count ? a->count : b->count;
    const int64_t size = told->subset_size < fewer ? told->subset_size : fewer;
    struct sums s = {0};
    int32_t *index;
    double *each, sum = 0, square = 0;
    int status;

    MDM_TRY(mdm_features_check(a, b, 2, "a kernel distance"));
    index = mdm_need((size_t)size, 2 * sizeof *index, "a subset");
    each = mdm_need((size_t)n, sizeof *each, "the distances of subsets");
    status = index && each ? begin(&s, a, size, told) : MASKDM_ENOMEM;
    if (status >= 0)
        status = draw_all(&s, a, b, told, control, index, each);
    for (int64_t k = 0; k < n && status >= 0; k++)
        sum += each[k] / (double)n;
    for (int64_t k = 0; k < n && status >= 0; k++)
        square += (each[k] - sum) * (each[k] - sum) / (double)n;
    if (status >= 0) {
        *mean = sum;
        *deviation = sqrt(square);
    }
    finish(&s);
    mdm_free(index);
    mdm_free(each);
    return status;
}
