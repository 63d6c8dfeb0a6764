/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images as diffusion has them, and back: validate and forward.
 */
#include "model/model.h"

#include "api/argument.h"
#include "base/checked.h"

#include <string.h>

/* Values of an image, or MASKDM_EINVAL where nobody counts those of so many. */
static int64_t values_of(const maskdm_model *model, int64_t batch)
{
    const struct mdm_geometry *g = &model->geometry;
    const int64_t n = g->height * g->width * g->channels;
    int64_t all;

    if (mdm_mul_i64(&all, batch, n) || all > INT64_MAX / (int64_t)sizeof(float))
        return mdm_fail(MASKDM_EINVAL, "%lld images of %lld values are out of range", (long long)batch, (long long)n);
    return n;
}

int maskdm_model_encode(const maskdm_model *model, int64_t batch, const float *images, float *values)
{
    const struct mdm_geometry *g;
    int64_t n;

    MDM_NEED(model);
    MDM_NEED_COUNT(batch);
    MDM_NEED_ARRAY(images, batch);
    MDM_NEED_ARRAY(values, batch);
    g = &model->geometry;
    n = values_of(model, batch);
    for (int64_t b = 0; b < batch && n > 0; b++) {
        if (g->space)
            g->space->enter(values + b * n, images + b * n, g->height, g->width, g->channels);
        else
            memcpy(values + b * n, images + b * n, (size_t)n * sizeof *values);
    }
    return n < 0 ? (int)n : MASKDM_OK;
}

int maskdm_model_decode(const maskdm_model *model, int64_t batch, const float *values, float *images)
{
    const struct mdm_geometry *g;
    int64_t n;

    MDM_NEED(model);
    MDM_NEED_COUNT(batch);
    MDM_NEED_ARRAY(values, batch);
    MDM_NEED_ARRAY(images, batch);
    g = &model->geometry;
    n = values_of(model, batch);
    for (int64_t b = 0; b < batch && n > 0; b++) {
        if (g->space)
            g->space->leave(images + b * n, values + b * n, g->height, g->width, g->channels);
        else
            memcpy(images + b * n, values + b * n, (size_t)n * sizeof *images);
    }
    return n < 0 ? (int)n : MASKDM_OK;
}
