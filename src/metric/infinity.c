/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The distance without the bias of a finite set (Chong and Forsyth, "Effectively unbiased FID and inception score",
 * 2020): over subsets of several sizes it is nearly a line in one over the size, whose end at 0 is the distance of
 * infinitely many images.
 */
#include "metric/features.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

/* Of `count` rows that are drawn. */
static int measure(const maskdm_features *f, maskdm_statistics *reference, int32_t *index, int64_t count,
                   maskdm_control *control, double *out)
{
    maskdm_statistics *s;
    int status;

    MDM_TRY(mdm_statistics_create(&s, f->device, f->width));
    status = mdm_statistics_add_chosen(s, count, index, f->row, control);
    if (status >= 0)
        status = mdm_statistics_distance(s, reference, control, out);
    mdm_statistics_drop(&s);
    return status;
}

int mdm_features_infinity(const maskdm_features *f, maskdm_statistics *reference,
                          const struct mdm_metric_options *told, maskdm_control *control, double *out)
{
    const int64_t points = told->infinity_points, tenth = f->count / 10;
    const int64_t least = told->infinity_least ? told->infinity_least : tenth < 2 ? 2 : tenth;
    double n = (double)points, x_sum = 0, y_sum = 0, xx = 0, xy = 0;
    int32_t *index;
    int status = MASKDM_OK;

    if (least < 2 || f->count < least + points)
        return mdm_fail(MASKDM_EINVAL, "%lld numbers of images from %lld on are more than the %lld images have",
                        (long long)points, (long long)least, (long long)f->count);
    index = mdm_need((size_t)f->count, sizeof *index, "a subset");
    if (!index)
        return MASKDM_ENOMEM;
    for (int64_t k = 0; k < points && status >= 0; k++) {
        const int64_t count = least + (int64_t)((double)(f->count - least) * (double)k / (double)(points - 1));
        struct mdm_rng r = mdm_rng_make((uint64_t)told->metric_seed, MDM_DRAW_SUBSET, 1, (uint64_t)k);
        const double x = 1 / (double)count;
        double y = 0;

        mdm_rng_choose(&r, index, count, f->count);
        status = measure(f, reference, index, count, control, &y);
        x_sum += x;
        y_sum += y;
        xx += x * x;
        xy += x * y;
    }
    mdm_free(index);
    if (status >= 0)
        *out = (y_sum * xx - x_sum * xy) / (n * xx - x_sum * x_sum);
    return status;
}
