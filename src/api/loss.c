/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The built-in losses of maskdm/train.h on a host's arrays: validate and forward.
 */
#include <maskdm/train.h>

#include "train/loss.h"

#include "api/argument.h"
#include "base/checked.h"

/* Of one image, whose values are the channels of a single pixel. */
static void compare(struct mdm_loss *job, int64_t n, int64_t b, const double *weight, double *loss)
{
    static const double one = 1;
    static const int32_t first = 0;
    struct mdm_loss j = *job;
    double unseen;

    j.pred += b * n;
    j.target += b * n;
    j.dpred = j.dpred ? j.dpred + b * n : NULL;
    j.index = &first;
    j.weight = weight ? weight + b : &one;
    j.loss = loss ? loss + b : &unseen;
    mdm_loss_on_host(&j);
}

int maskdm_loss(const char *loss, double delta, int64_t batch, int64_t n, const float *output, const float *target,
                const double *weight, double *losses, float *gradient)
{
    struct mdm_loss job = {.batch = 1, .height = 1, .width = 1, .channels = n, .patch = 1, .visible = 1};
    int64_t all;

    MDM_NEED(loss);
    MDM_NEED_COUNT(batch);
    if (n < 1 || mdm_mul_i64(&all, batch, n))
        return mdm_fail(MASKDM_EINVAL, "%s: %lld images of %lld values are out of range", __func__, (long long)batch,
                        (long long)n);
    MDM_NEED_ARRAY(output, batch);
    MDM_NEED_ARRAY(target, batch);
    MDM_TRY(mdm_loss_find(&job.kind, loss));
    MDM_TRY(mdm_loss_delta(&job.delta, job.kind, delta, "delta"));
    job.pred = output;
    job.target = target;
    job.dpred = gradient;
    job.scale = batch ? 1 / (double)batch : 0;
    for (int64_t b = 0; b < batch; b++)
        compare(&job, n, b, weight, losses);
    return MASKDM_OK;
}
