/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filling a micro-batch, by the run's own draws or by the caller, and noising it.
 */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/data.h"
#include "diffusion/scheduler.h"

#include <string.h>

int mdm_trainer_check_count(const maskdm_trainer *tr, int64_t images)
{
    if (images >= tr->batch_size)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %lld is larger than the data, %lld image%s",
                    mdm_options_said(tr->options, "batch_size"), (long long)tr->batch_size, (long long)images,
                    images == 1 ? "" : "s");
}

int mdm_trainer_check_data(const maskdm_trainer *tr, const maskdm_data *data)
{
    const struct mdm_geometry *g = &tr->model->geometry;

    if (data->height != g->height || data->width != g->width || data->channels != g->channels)
        return mdm_fail(MASKDM_ESHAPE, "the data are %lld x %lld x %d, the model needs %lld x %lld x %lld",
                        (long long)data->height, (long long)data->width, data->channels, (long long)g->height,
                        (long long)g->width, (long long)g->channels);
    MDM_TRY(mdm_trainer_check_count(tr, data->count));
    if (g->classes > 0 && data->labels > g->classes)
        return mdm_fail(MASKDM_EINVAL, "the data have %lld labels, the model %lld classes",
                        (long long)data->labels, (long long)g->classes);
    return MASKDM_OK;
}

/* x_t and target from images, noise and times. */
static int add_noise(maskdm_trainer *tr)
{
    struct mdm_backend *b = mdm_device_backend(tr->device);
    double *f = tr->factors;
    int64_t n = tr->batch;
    struct mdm_noising job = {n,     tr->values, tr->images, tr->noise, f,
                              f + n, f + 2 * n,  f + 3 * n,  tr->x_t,   tr->target};

    MDM_TRY(mdm_scheduler_factors(tr->model->scheduler, n, tr->times, f, f + n, f + 2 * n, f + 3 * n));
    return b->v->noising(b, &job);
}

/* With probability label_dropout an image is trained without its label, so that the null class is learnt too. */
static void drop_labels(maskdm_trainer *tr, int64_t first, int64_t step)
{
    if (tr->model->geometry.classes == 0 || tr->label_dropout <= 0)
        return;
    for (int64_t b = 0; b < tr->batch; b++) {
        struct mdm_rng r = mdm_rng_make(tr->seed, MDM_DRAW_LABEL, (uint64_t)(first + b), (uint64_t)step);

        if (mdm_rng_uniform(&r) < tr->label_dropout)
            tr->labels[b] = -1;
    }
}

static int draw_noise(maskdm_trainer *tr, int64_t first, int64_t step)
{
    struct mdm_backend *b = mdm_device_backend(tr->device);
    struct mdm_rng *stream = mdm_need((size_t)tr->batch, sizeof *stream, "noise streams");
    int status;

    if (!stream)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < tr->batch; i++)
        stream[i] = mdm_rng_make(tr->seed, MDM_DRAW_NOISE, (uint64_t)(first + i), (uint64_t)step);
    status = b->v->normal(b, tr->noise, tr->batch, tr->values, stream);
    mdm_free(stream);
    return status;
}

int mdm_trainer_draw(maskdm_trainer *tr, maskdm_data *data, int64_t part)
{
    const struct mdm_geometry *g = &tr->model->geometry;
    int64_t step = tr->optimizer->steps, first = step * tr->batch_size + part * tr->batch;
    int status;

    MDM_TRY(mdm_trainer_check_data(tr, data));
    if (part < 0 || part >= tr->accumulate)
        return mdm_fail(MASKDM_EINVAL, "part %lld is outside 0 .. %lld", (long long)part,
                        (long long)tr->accumulate - 1);
    tr->stage = MDM_STAGE_EMPTY;
    MDM_TRY(mdm_data_batch(data, tr->seed, step * tr->accumulate + part, tr->batch, tr->flip, tr->images,
                           tr->labels));
    drop_labels(tr, first, step);
    mdm_scheduler_draw_times(tr->model->scheduler, tr->seed, first, step, tr->batch, tr->times);
    MDM_TRY(mdm_mask_draw(tr->mask, g->rows, g->columns, tr->visible, tr->seed, first, step, tr->batch,
                          tr->index));
    MDM_TRY(mdm_device_enter(tr->device));
    status = draw_noise(tr, first, step);
    if (status == MASKDM_OK)
        status = add_noise(tr);
    mdm_device_leave(tr->device);
    if (status == MASKDM_OK)
        tr->stage = MDM_STAGE_DRAWN;
    return status;
}

int mdm_trainer_set_batch(maskdm_trainer *tr, const float *images, const int32_t *labels, const double *times,
                          const float *noise, const int32_t *index)
{
    size_t bytes = (size_t)tr->batch * (size_t)tr->values * sizeof(float);
    int status;

    if (!index && tr->visible != tr->model->geometry.patches)
        return mdm_fail(MASKDM_EINVAL, "patch indices are needed where %lld of %lld patches are visible",
                        (long long)tr->visible, (long long)tr->model->geometry.patches);
    for (int64_t b = 0; b < tr->batch; b++) {
        int64_t t;

        MDM_TRY(mdm_scheduler_time(tr->model->scheduler, times[b], &t));
    }
    tr->stage = MDM_STAGE_EMPTY;
    memcpy(tr->images, images, bytes);
    memcpy(tr->noise, noise, bytes);
    for (int64_t b = 0; b < tr->batch; b++) {
        tr->times[b] = times[b];
        tr->labels[b] = labels ? labels[b] : -1;
    }
    for (int64_t i = 0; i < tr->batch * tr->visible; i++)
        tr->index[i] = index ? index[i] : (int32_t)(i % tr->visible);
    MDM_TRY(mdm_device_enter(tr->device));
    status = add_noise(tr);
    mdm_device_leave(tr->device);
    if (status == MASKDM_OK)
        tr->stage = MDM_STAGE_DRAWN;
    return status;
}
