/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images as diffusion has them, and back: validate and forward.
 */
#include "model/model.h"

#include "api/argument.h"
#include "base/checked.h"

#include <string.h>

typedef void change(float *to, const float *from, int64_t height, int64_t width, int64_t channels);

/* Each image by itself; `by` NULL: as it is. MASKDM_EINVAL where nobody counts the values of so many. */
static int change_each(const maskdm_model *model, int64_t batch, const float *from, float *to, change *by)
{
    const struct mdm_geometry *g = &model->geometry;
    const int64_t n = g->height * g->width * g->channels;
    int64_t all;

    if (mdm_mul_i64(&all, batch, n) || all > INT64_MAX / (int64_t)sizeof(float))
        return mdm_fail(MASKDM_EINVAL, "%lld images of %lld values are out of range", (long long)batch, (long long)n);
    if (!by && all)
        memcpy(to, from, (size_t)all * sizeof *to);
    for (int64_t b = 0; by && b < batch; b++)
        by(to + b * n, from + b * n, g->height, g->width, g->channels);
    return MASKDM_OK;
}

int maskdm_model_encode(const maskdm_model *model, int64_t batch, const float *images, float *values)
{
    MDM_NEED(model);
    MDM_NEED_COUNT(batch);
    MDM_NEED_ARRAY(images, batch);
    MDM_NEED_ARRAY(values, batch);
    return change_each(model, batch, images, values, model->geometry.space ? model->geometry.space->enter : NULL);
}

int maskdm_model_decode(const maskdm_model *model, int64_t batch, const float *values, float *images)
{
    MDM_NEED(model);
    MDM_NEED_COUNT(batch);
    MDM_NEED_ARRAY(values, batch);
    MDM_NEED_ARRAY(images, batch);
    return change_each(model, batch, values, images, model->geometry.space ? model->geometry.space->leave : NULL);
}
