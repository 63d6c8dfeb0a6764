/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums in double of what rows differ from the first one by, so that features far from 0 lose nothing. Rows are summed
 * in blocks of a fixed number, counted from the first, so that neither the calls in which they came nor the threads
 * matter.
 */
#include "metric/statistics.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

static void destroy(void *object)
{
    maskdm_statistics *s = object;

    mdm_free(s->shift);
    mdm_free(s->sum);
    mdm_free(s->square);
    mdm_free(s->block);
    mdm_free(s->room);
    mdm_device_drop(&s->device);
    mdm_free(s);
}

static const struct mdm_handle_kind kind = {"statistics", destroy};

void mdm_statistics_drop(maskdm_statistics **out)
{
    maskdm_statistics *s = *out;

    *out = NULL;
    if (s)
        mdm_handle_drop(&s->handle);
}

/* With room for sums alone. */
static int begin(maskdm_statistics **out, maskdm_device *device, int64_t width)
{
    maskdm_statistics *s;

    *out = NULL;
    if (width < 1 || width > MDM_METRIC_WIDTH)
        return mdm_fail(MASKDM_EINVAL, "features of %lld numbers are outside 1 .. %d", (long long)width,
                        MDM_METRIC_WIDTH);
    s = mdm_need(1, sizeof *s, "statistics");
    if (!s)
        return MASKDM_ENOMEM;
    mdm_handle_init(&s->handle, &kind);
    mdm_device_hold(device);
    s->device = device;
    s->width = width;
    s->sum = mdm_need((size_t)width, sizeof *s->sum, "the mean of features");
    s->square = mdm_need((size_t)width, (size_t)width * sizeof *s->square, "the covariance of features");
    if (!s->sum || !s->square)
        mdm_statistics_drop(&s);
    *out = s;
    return s ? MASKDM_OK : MASKDM_ENOMEM;
}

int mdm_statistics_create(maskdm_statistics **out, maskdm_device *device, int64_t width)
{
    maskdm_statistics *s;

    *out = NULL;
    MDM_TRY(begin(&s, device, width));
    s->shift = mdm_need((size_t)width, sizeof *s->shift, "the mean of features");
    s->block = mdm_need(MDM_STATISTICS_BLOCK, (size_t)width * sizeof *s->block, "a block of features");
    s->room = mdm_product_rooms(device);
    if (!s->shift || !s->block || !s->room) {
        mdm_statistics_drop(&s);
        return MASKDM_ENOMEM;
    }
    *out = s;
    return MASKDM_OK;
}

int mdm_statistics_create_from(maskdm_statistics **out, maskdm_device *device, int64_t count, int64_t width,
                               const double *mean, const double *covariance)
{
    const size_t n = (size_t)(width > 0 ? width : 0);

    MDM_TRY(begin(out, device, width));
    (*out)->given = 1;
    (*out)->count = count;
    memcpy((*out)->sum, mean, n * sizeof *mean);
    memcpy((*out)->square, covariance, n * n * sizeof *covariance);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(mean[i])) {
            mdm_statistics_drop(out);
            return mdm_fail(MASKDM_EINVAL, "feature %zu has the mean %g", i, mean[i]);
        }
    return MASKDM_OK;
}

/* One tile of the sum of products of what is in the block; pairs of tiles are counted row by row. */
static int add_tile(void *arg, int64_t pair, int worker)
{
    maskdm_statistics *s = arg;
    const struct mdm_rows columns = {
        .single = s->block, .row = 1, .step = s->width, .shift = s->shift, .shift_row = 1};
    int64_t i = 0;
    struct mdm_strip a, b;

    for (; pair > i; i++)
        pair -= i + 1;
    a = mdm_tile(&columns, i, s->width);
    b = mdm_tile(&columns, pair, s->width);
    mdm_product_tile(s->square + a.first * s->width + b.first, s->width, a, b, s->held, s->room + worker);
    return MASKDM_OK;
}

/* The block goes into the sums. */
static int flush(maskdm_statistics *s, maskdm_control *control)
{
    const int64_t tiles = mdm_tiles(s->width);

    if (!s->held)
        return MASKDM_OK;
    MDM_TRY(mdm_metric_loop(s->device, control, "the statistics", tiles * (tiles + 1) / 2, add_tile, s));
    for (int64_t r = 0; r < s->held; r++)
        for (int64_t j = 0; j < s->width; j++)
            s->sum[j] += (double)s->block[r * s->width + j] - s->shift[j];
    s->held = 0;
    return MASKDM_OK;
}

int mdm_statistics_add_chosen(maskdm_statistics *s, int64_t count, const int32_t *index, const float *rows,
                              maskdm_control *control)
{
    double told = mdm_clock();

    if (s->given)
        return mdm_fail(MASKDM_EINVAL, "statistics that were given as mean and covariance take no more rows");
    if (count > INT32_MAX)
        return mdm_fail(MASKDM_EINVAL, "%lld rows of features at once are above %d", (long long)count, INT32_MAX);
    for (int64_t k = 0; k < count; k++) {
        const float *row = rows + (index ? index[k] : k) * s->width;

        MDM_TRY(mdm_rows_check(row, 1, s->width, s->count, MASKDM_ENONFINITE));
        for (int64_t j = 0; s->count == 0 && j < s->width; j++)
            s->shift[j] = (double)row[j];
        memcpy(s->block + s->held * s->width, row, (size_t)s->width * sizeof *row);
        s->held++;
        s->count++;
        if (s->held == MDM_STATISTICS_BLOCK) {
            MDM_TRY(flush(s, control));
            mdm_metric_tell(control, &told, k + 1, count);
        }
    }
    return MASKDM_OK;
}

int mdm_statistics_add(maskdm_statistics *s, int64_t count, const float *rows)
{
    return mdm_statistics_add_chosen(s, count, NULL, rows, NULL);
}

int mdm_statistics_read(maskdm_statistics *s, double *mean, double *covariance)
{
    const int64_t D = s->width;
    const double n = (double)s->count;

    if (!s->given) {
        if (s->count < 2)
            return mdm_fail(MASKDM_EINVAL, "a covariance takes at least 2 rows of features, not %lld",
                            (long long)s->count);
        MDM_TRY(flush(s, NULL));
    }
    for (int64_t j = 0; mean && j < D; j++)
        mean[j] = s->given ? s->sum[j] : s->shift[j] + s->sum[j] / n;
    if (covariance && s->given)
        memcpy(covariance, s->square, (size_t)(D * D) * sizeof *covariance);
    for (int64_t i = 0; covariance && !s->given && i < D; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double x = (s->square[i * D + j] - s->sum[i] * (s->sum[j] / n)) / (n - 1);

            covariance[i * D + j] = covariance[j * D + i] = x;
        }
    return MASKDM_OK;
}
