/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masked loss and its gradient: one image after the other on one thread each, summed in double in the order of
 * its values. A row of a patch is a run of p*C values both in pred and in the image.
 */
#include "backend/cpu/cpu.h"
#include "base/error.h"

#include <math.h>

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

static void compare_image(void *arg, int64_t b, int worker)
{
    const struct mdm_loss *j = arg;
    int64_t run = j->patch * j->channels, row = j->width * j->channels, across = j->width / j->patch;
    int64_t at = b * j->visible * run * j->patch;
    double count = (double)(j->visible * run * j->patch), sum = 0;

    (void)worker;
    for (int64_t k = 0; k < j->visible; k++) {
        int64_t patch = j->index[b * j->visible + k];
        int64_t top = b * j->height + patch / across * j->patch, left = patch % across * run;
        for (int64_t r = 0; r < j->patch; r++, at += run)
            compare_run(&sum, j->dpred ? j->dpred + at : NULL, j->pred + at, j->target + (top + r) * row + left, run,
                        j->l1, j->scale * j->weight[b] / count);
    }
    j->loss[b] = j->weight[b] * (sum / count);
}

int mdm_cpu_loss(struct mdm_backend *b, const struct mdm_loss *j)
{
    struct mdm_loss copy = *j;

    return mdm_pool_run(mdm_cpu_of(b)->pool, j->batch, compare_image, &copy);
}
