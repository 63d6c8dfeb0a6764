/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filling a micro-batch, by the run's own draws or by the caller, and noising it.
 */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/data.h"
#include "diffusion/scheduler.h"
#include "train/tune.h"

#include <string.h>

int mdm_trainer_check_count(const maskdm_trainer *tr, int64_t images)
{
    if (images >= tr->pace.most || tr->pace.usual)
        return MASKDM_OK;
    if (tr->pace.asked)
        return mdm_fail(MASKDM_EINVAL, "%s %lld makes a batch of %lld images, larger than the data, %lld image%s",
                        mdm_options_said(tr->options, "batch_tokens"), (long long)tr->pace.tokens,
                        (long long)tr->pace.most, (long long)images, images == 1 ? "" : "s");
    return mdm_fail(MASKDM_EINVAL, "%s %lld is larger than the data, %lld image%s",
                    mdm_options_said(tr->options, "batch_size"), (long long)tr->pace.most, (long long)images,
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

/* With probability label_dropout a row is trained without its label, so that the null class is learnt too. */
static void drop_labels(maskdm_trainer *tr, int64_t first, int64_t step)
{
    if (tr->model->geometry.classes == 0 || tr->label_dropout <= 0)
        return;
    for (int64_t b = 0; b < tr->batch; b++) {
        struct mdm_rng r = mdm_rng_make(tr->seed, MDM_DRAW_LABEL, (uint64_t)(first + b), (uint64_t)step);

        if (mdm_rng_uniform(&r) < tr->label_dropout)
            tr->micro.labels[b] = -1;
    }
}

/* Who is routed, and of whom nothing comes from the deep blocks. */
static void draw_routes(maskdm_trainer *tr, int64_t first, int64_t step)
{
    for (int64_t b = 0; tr->micro.keep && b < tr->batch; b++) {
        struct mdm_rng r = mdm_rng_make(tr->seed, MDM_DRAW_ROUTE, (uint64_t)(first + b), (uint64_t)step);

        mdm_routing_draw(&tr->routing, &tr->program->extent, &r, b, tr->micro.keep);
    }
    for (int64_t b = 0; tr->program->extent.path_drop && b < tr->batch; b++) {
        struct mdm_rng r = mdm_rng_make(tr->seed, MDM_DRAW_PATH, (uint64_t)(first + b), (uint64_t)step);

        tr->micro.dropped[b] = mdm_rng_uniform(&r) < tr->routing.path_drop;
    }
}

int64_t mdm_trainer_routed(const maskdm_trainer *tr, int64_t route)
{
    return route >= 0 && route < MDM_MOST_ROUTES ? tr->program->extent.routed[route] : 0;
}

int mdm_trainer_set_route(maskdm_trainer *tr, int64_t route, const int32_t *keep)
{
    int32_t *to = tr->micro.keep;

    if (!mdm_trainer_routed(tr, route))
        return mdm_fail(MASKDM_EINVAL, "no token passes by a route %lld of this network", (long long)route);
    if (tr->stage < MDM_STAGE_DRAWN)
        return mdm_fail(MASKDM_EINVAL, "a route needs a micro-batch: draw or set one first");
    MDM_TRY(mdm_program_check_kept(tr->program, route, keep));
    for (int64_t i = 0; i < route; i++)
        to += tr->batch * tr->program->extent.routed[i];
    memcpy(to, keep, (size_t)(tr->batch * tr->program->extent.routed[route]) * sizeof *to);
    tr->stage = MDM_STAGE_DRAWN;
    return MASKDM_OK;
}

int mdm_trainer_set_path_drop(maskdm_trainer *tr, const int32_t *dropped)
{
    if (!tr->program->extent.path_drop)
        return mdm_fail(MASKDM_EINVAL, "no image of this network's is trained without its deep blocks");
    if (tr->stage < MDM_STAGE_DRAWN)
        return mdm_fail(MASKDM_EINVAL, "images without deep blocks need a micro-batch: draw or set one first");
    memcpy(tr->micro.dropped, dropped, (size_t)tr->batch * sizeof *dropped);
    tr->stage = MDM_STAGE_DRAWN;
    return MASKDM_OK;
}

int mdm_trainer_draw(maskdm_trainer *tr, maskdm_data *data, int64_t part)
{
    const struct mdm_grids grids = mdm_geometry_grids(&tr->model->geometry);
    struct mdm_microbatch *m = &tr->micro;
    int64_t step = tr->optimizer->steps, image, first;
    int here, status;

    MDM_TRY(mdm_trainer_check_data(tr, data));
    if (part < 0 || part >= tr->accumulate)
        return mdm_fail(MASKDM_EINVAL, "part %lld is outside 0 .. %lld", (long long)part,
                        (long long)tr->accumulate - 1);
    MDM_TRY(mdm_trainer_follow(tr));
    tr->stage = MDM_STAGE_EMPTY;
    image = mdm_pace_images(&tr->pace, step) + part * tr->images;
    if (image >= MDM_PACE_IMAGES)
        return mdm_fail(MASKDM_EINVAL, "step %lld is behind more images than a run can count", (long long)step);
    first = image * tr->pace.groups;
    here = mdm_ahead_take(tr, data, image);
    if (!here)
        MDM_TRY(mdm_trainer_fetch(tr, m, data, image));
    drop_labels(tr, first, step);
    if (tr->tune)
        mdm_tune_draw_times(tr, first, step);
    else
        mdm_scheduler_draw_times(tr->model->scheduler, tr->seed, first, step, tr->batch, m->times);
    MDM_TRY(mdm_mask_draw_kinds(tr->mask, &grids, tr->visible, tr->seed, image, step, tr->images, m->index));
    draw_routes(tr, first, step);
    MDM_TRY(mdm_device_enter(tr->device));
    status = here ? MASKDM_OK : mdm_microbatch_enter(m, m->staged, tr->batch);
    if (status == MASKDM_OK)
        status = mdm_microbatch_draw_noise(m, tr->seed, first, step, tr->batch);
    if (status == MASKDM_OK)
        status = mdm_microbatch_noise(m, tr->model->scheduler, tr->batch);
    mdm_device_leave(tr->device);
    mdm_retain_weigh(tr, image);
    if (status == MASKDM_OK)
        tr->stage = MDM_STAGE_DRAWN;
    return status;
}

int mdm_trainer_set_batch(maskdm_trainer *tr, const float *images, const int32_t *labels, const double *times,
                          const float *noise, const int32_t *index)
{
    struct mdm_microbatch *m = &tr->micro;
    const int64_t step = tr->optimizer->steps;
    int status;

    MDM_TRY(mdm_trainer_follow(tr));
    if (!index && tr->visible != tr->model->geometry.patches)
        return mdm_fail(MASKDM_EINVAL, "patch indices are needed where %lld of %lld patches are visible",
                        (long long)tr->visible, (long long)tr->model->geometry.patches);
    for (int64_t b = 0; b < tr->batch; b++)
        MDM_TRY(mdm_process_check(tr->model->scheduler->process, times[b]));
    tr->stage = MDM_STAGE_EMPTY;
    for (int64_t b = 0; b < tr->batch; b++) {
        m->times[b] = times[b];
        m->labels[b] = labels ? labels[b] : -1;
    }
    for (int64_t i = 0; i < tr->batch * tr->visible; i++)
        m->index[i] = index ? index[i] : (int32_t)(i % tr->visible);
    draw_routes(tr, mdm_pace_images(&tr->pace, step) * tr->pace.groups, step);
    MDM_TRY(mdm_device_enter(tr->device));
    status = mdm_microbatch_enter(m, images, tr->batch);
    if (status == MASKDM_OK)
        status = mdm_microbatch_upload(m, m->noise, noise, tr->batch);
    if (status == MASKDM_OK)
        status = mdm_microbatch_noise(m, tr->model->scheduler, tr->batch);
    mdm_device_leave(tr->device);
    mdm_retain_weigh(tr, -1);
    if (status == MASKDM_OK)
        tr->stage = MDM_STAGE_DRAWN;
    return status;
}
