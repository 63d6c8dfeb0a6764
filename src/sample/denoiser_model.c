/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model's network, with its program for as many images as are asked for at once.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/scheduler.h"
#include "model/program.h"
#include "sample/denoiser.h"
#include "sample/patches.h"

struct network {
    struct mdm_denoiser base;
    maskdm_model *model;
    enum maskdm_weights which;
    maskdm_control *control;
    struct mdm_program *program; /* NULL: not ready */
    struct mdm_patches patches;  /* that it is given */
    double *times;               /* [B] */
};

static void rest(struct mdm_denoiser *d)
{
    struct network *n = (struct network *)d;

    mdm_program_release(&n->program);
    mdm_patches_rest(&n->patches);
    mdm_free(n->times);
    n->times = NULL;
}

static void release(struct mdm_denoiser *d)
{
    struct network *n = (struct network *)d;

    mdm_patches_free(&n->patches);
    mdm_model_drop(&n->model);
    mdm_control_drop(&n->control);
    mdm_free(n);
}

static size_t memory(const struct mdm_denoiser *d)
{
    const struct network *n = (const struct network *)d;

    return n->program ? n->program->arena_bytes : 0;
}

static int ready(struct mdm_denoiser *d, int64_t batch)
{
    struct network *n = (struct network *)d;
    const int64_t visible = n->patches.visible ? n->patches.visible : n->model->geometry.patches;
    const struct mdm_extent e = {.batch = batch, .visible = visible};
    int status;

    if (n->program && n->program->extent.batch == batch)
        return MASKDM_OK;
    rest(d);
    MDM_TRY(mdm_program_create(&n->program, n->model, e, MDM_PROGRAM_PREDICT));
    n->times = mdm_need((size_t)batch, sizeof *n->times, "times of the sampler");
    status = n->times ? mdm_patches_ready(&n->patches, n->program) : MASKDM_ENOMEM;
    if (status < 0)
        rest(d);
    return status;
}

/* The device is entered. */
static int forward(struct network *n, const struct mdm_question *q, double scale, float *out)
{
    struct mdm_backend *b = mdm_device_backend(n->model->device);
    float *input = mdm_program_input(n->program);
    const struct mdm_mix scaled = {
        .n = q->batch * n->program->image_values, .count = 1, .x = {q->x}, .a = {scale}, .y = input};

    if (scale != 1)
        MDM_TRY(b->v->mix(b, &scaled));
    MDM_TRY(mdm_program_set(n->program, scale == 1 ? q->x : input, n->times, q->labels, n->patches.index));
    MDM_TRY(
        mdm_program_forward(n->program, mdm_model_block(n->model, n->which), mdm_control_cancel_flag(n->control)));
    return n->patches.index ? mdm_patches_image(&n->patches, n->program, out) : mdm_program_image(n->program, out);
}

static int ask(struct mdm_denoiser *d, const struct mdm_question *q, float *out)
{
    struct network *n = (struct network *)d;
    const struct mdm_facts f = mdm_scheduler_facts(n->model->scheduler, q->time);
    int status;

    for (int64_t i = 0; i < q->batch; i++)
        n->times[i] = f.network_time;
    MDM_TRY(mdm_device_enter(n->model->device));
    status = forward(n, q, f.input_scale, out);
    mdm_device_leave(n->model->device);
    return status == MASKDM_ECANCELED ? mdm_control_canceled(n->control, "sampling") : status;
}

static int narrow(struct mdm_denoiser *d, const int32_t *patch, int64_t visible)
{
    struct network *n = (struct network *)d;

    MDM_TRY(mdm_patches_choose(&n->patches, patch, visible));
    rest(d);
    return MASKDM_OK;
}

static const struct mdm_denoiser_class kind = {ready, ask, rest, release, memory, narrow};

int mdm_denoiser_of_model(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which,
                          maskdm_control *control)
{
    struct network *n = mdm_need(1, sizeof *n, "a denoiser");

    *out = NULL;
    if (!n)
        return MASKDM_ENOMEM;
    mdm_model_hold(model);
    mdm_control_hold(control);
    *n = (struct network){.base.kind = &kind, .model = model, .which = which, .control = control};
    *out = &n->base;
    return MASKDM_OK;
}
