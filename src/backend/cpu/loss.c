/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masked loss and its gradient: one image after the other on one thread each, summed in double in the order of
 * its values. A row of a patch is a run of p*C values both in pred and in the image.
 */
#include "backend/cpu/cpu.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

/* Of n values; *sum grows by |d| or d^2, dpred is the gradient of scale times that. */
static void compare_run(double *sum, float *dpred, const float *pred, const float *target, int64_t n, int l1,
                        double scale)
{
    for (int64_t i = 0; i < n; i++) {
        double d = (double)pred[i] - (double)target[i];
        *sum += l1 ? fabs(d) : d * d;
        if (dpred)
            dpred[i] = (float)(l1 ? scale * ((d > 0) - (d < 0)) + 0 * d : scale * 2 * d);
    }
}

/* The same pixel by pixel, where pred has channels that the image has not. */
static void compare_pixels(double *sum, float *dpred, const float *pred, const float *target,
                           const struct mdm_loss *j, double scale)
{
    const size_t more = (size_t)(j->outputs - j->channels) * sizeof *dpred;

    for (int64_t i = 0; i < j->patch; i++, pred += j->outputs, target += j->channels) {
        compare_run(sum, dpred, pred, target, j->channels, j->l1, scale);
        if (!dpred)
            continue;
        memset(dpred + j->channels, 0, more);
        dpred += j->outputs;
    }
}

static void compare_image(void *arg, int64_t b, int worker)
{
    const struct mdm_loss *j = arg;
    int64_t run = j->patch * j->channels, row = j->width * j->channels, across = j->width / j->patch;
    int64_t step = j->patch * j->outputs, at = b * j->visible * step * j->patch;
    double scale, count = (double)(j->visible * run * j->patch), sum = 0;

    (void)worker;
    scale = j->scale * j->weight[b] / count;
    for (int64_t k = 0; k < j->visible; k++) {
        int64_t patch = j->index[b * j->visible + k];
        int64_t top = b * j->height + patch / across * j->patch, left = patch % across * run;
        for (int64_t r = 0; r < j->patch; r++, at += step) {
            float *dpred = j->dpred ? j->dpred + at : NULL;
            const float *target = j->target + (top + r) * row + left;

            if (j->outputs == j->channels)
                compare_run(&sum, dpred, j->pred + at, target, run, j->l1, scale);
            else
                compare_pixels(&sum, dpred, j->pred + at, target, j, scale);
        }
    }
    j->loss[b] = j->weight[b] * (sum / count);
}

int mdm_cpu_loss(struct mdm_backend *b, const struct mdm_loss *j)
{
    struct mdm_loss copy = *j;

    if (!copy.outputs)
        copy.outputs = copy.channels;
    return mdm_pool_run(mdm_cpu_of(b)->pool, j->batch, compare_image, &copy);
}
