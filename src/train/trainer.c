/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a trainer, and the whole step out of its parts.
 */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/data.h"
#include "diffusion/scheduler.h"
#include "train/freeze.h"
#include "train/loss.h"
#include "train/options.h"
#include "train/tune.h"

#include <math.h>
#include <string.h>

static int read_options(maskdm_trainer *tr, const maskdm_options *options)
{
    struct mdm_trainer_options told;

    MDM_TRY(mdm_options_extract(&tr->options, options, &mdm_trainer_kind));
    mdm_options_read(tr->options, &mdm_trainer_options, &told);
    tr->accumulate = told.accumulate;
    tr->seed = tr->run_seed = (uint64_t)told.seed;
    tr->stage_number = 1;
    tr->augment = told.augment;
    tr->label_dropout = told.label_dropout;
    tr->loss = told.loss;
    MDM_TRY(mdm_loss_delta(&tr->loss_delta, told.loss, told.loss_delta, mdm_options_said(tr->options, "loss_delta")));
    tr->max_bad_steps = told.max_bad_steps;
    tr->retain = (struct mdm_retain){told.forget_power, told.retain_share, told.retain_weight, NULL, NULL, 0};
    return MASKDM_OK;
}

static int take_blocks(maskdm_trainer *tr, const maskdm_model *model)
{
    size_t bytes = mdm_model_bytes(model);
    void *memory;

    tr->block_bytes = bytes;
    MDM_TRY(mdm_device_alloc(model->device, &memory, bytes, 0, "the weights of a trainer"));
    tr->weights = memory;
    MDM_TRY(mdm_device_copy(model->device, tr->weights, mdm_model_block(model, MASKDM_WEIGHTS_ONLINE), bytes));
    MDM_TRY(mdm_device_alloc(model->device, &memory, bytes, 1, "the gradients of a trainer"));
    tr->gradients = memory;
    tr->model->ema = tr->weights;
    for (int i = 0; i < tr->pace.levels; i++)
        mdm_past_add(&tr->model->past, mdm_mask_name(tr->mask), tr->pace.level[i].visible, model->geometry.patches);
    MDM_TRY(mdm_optimizer_bind(tr->optimizer, &tr->handle, model->device, &tr->model->layout, tr->weights,
                               tr->gradients));
    if (tr->optimizer->ema) {
        tr->model->ema = tr->optimizer->ema;
        tr->model->online = tr->weights;
    }
    return MASKDM_OK;
}

static int build(maskdm_trainer *tr, maskdm_model *model, maskdm_mask *mask, maskdm_optimizer *optimizer,
                 const maskdm_options *options, maskdm_control *control)
{
    const struct mdm_geometry *g = &model->geometry;
    const struct mdm_grids grids = mdm_geometry_grids(g);
    struct mdm_extent most;

    MDM_TRY(mdm_device_need_float(model->device, "training"));
    MDM_TRY(read_options(tr, options));
    if (optimizer->device)
        return mdm_fail(MASKDM_EINVAL, "the optimizer is bound to another trainer");
    MDM_TRY(mdm_network_routing(&tr->routing, model->network, model->options));
    MDM_TRY(mdm_pace_plan(&tr->pace, mask, &grids, tr->options));
    tr->values = g->height * g->width * g->channels;
    mdm_device_hold(model->device);
    tr->device = model->device;
    mdm_optimizer_hold(optimizer);
    tr->optimizer = optimizer;
    if (mask)
        mdm_mask_hold(mask);
    tr->mask = mask;
    mdm_control_hold(control);
    tr->control = control;
    MDM_TRY(mdm_freeze_view(&tr->model, model, tr->options));
    MDM_TRY(mdm_trainer_check_memory(tr, tr->model));
    MDM_TRY(take_blocks(tr, model));
    MDM_TRY(mdm_trainer_make_programs(tr, MDM_PROGRAM_TRAIN));
    MDM_TRY(mdm_levels_most(&most, &tr->pace, tr->model));
    tr->view = mdm_need(MDM_VIEWS, sizeof *tr->view, "views");
    if (!tr->view)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_microbatch_take(&tr->micro, tr->device, most, &tr->model->geometry));
    return mdm_ahead_ready(&tr->ahead, &tr->micro);
}

static void give(const maskdm_trainer *tr, float *memory, size_t bytes)
{
    if (memory)
        mdm_device_free(tr->device, memory, bytes);
}

static void destroy(void *object)
{
    maskdm_trainer *tr = object;

    mdm_ahead_free(&tr->ahead);
    mdm_ranks_free(tr);
    mdm_tune_end(&tr->tune);
    mdm_trainer_release_programs(tr);
    mdm_model_drop(&tr->model);
    mdm_microbatch_give(&tr->micro);
    mdm_retain_free(&tr->retain);
    if (tr->optimizer && tr->weights && tr->optimizer->weights == tr->weights)
        mdm_optimizer_unbind(tr->optimizer);
    give(tr, tr->weights, tr->block_bytes);
    give(tr, tr->gradients, tr->block_bytes);
    for (int i = 0; tr->view && i < MDM_VIEWS; i++)
        mdm_free(tr->view[i]);
    mdm_free(tr->view);
    mdm_optimizer_drop(&tr->optimizer);
    mdm_mask_drop(&tr->mask);
    mdm_control_drop(&tr->control);
    mdm_options_release(&tr->options);
    mdm_device_drop(&tr->device);
    mdm_free(tr);
}

static const struct mdm_handle_kind kind = {"trainer", destroy};

int mdm_trainer_create(maskdm_trainer **out, maskdm_model *model, maskdm_mask *mask, maskdm_optimizer *optimizer,
                       const maskdm_options *options, maskdm_control *control)
{
    maskdm_trainer *tr = mdm_need(1, sizeof *tr, "a trainer");
    int status;

    *out = NULL;
    if (!tr)
        return MASKDM_ENOMEM;
    mdm_handle_init(&tr->handle, &kind);
    tr->last_loss = (double)NAN;
    status = build(tr, model, mask, optimizer, options, control);
    if (status < 0) {
        mdm_trainer_drop(&tr);
        return status;
    }
    *out = tr;
    return MASKDM_OK;
}

void mdm_trainer_drop(maskdm_trainer **trainer)
{
    maskdm_trainer *tr = *trainer;

    *trainer = NULL;
    if (tr)
        mdm_handle_drop(&tr->handle);
}

size_t mdm_trainer_memory(const maskdm_trainer *tr)
{
    return tr->memory + (tr->check ? tr->check->arena_bytes : 0);
}

/* Draw, forward, loss and backward of every part, and the sum of the losses but where they are late. Ends early,
 * without an error, when it is not finite. */
static int sum_gradients(maskdm_trainer *tr, maskdm_data *data, int late, double *loss)
{
    int64_t next;

    *loss = 0;
    for (int64_t i = 0; i < tr->accumulate && isfinite(*loss); i++) {
        MDM_TRY(mdm_trainer_draw(tr, data, i));
        next = i + 1 < tr->accumulate ? i + 1 : 0;
        mdm_ahead_begin(tr, data, tr->optimizer->steps + !next, next);
        MDM_TRY(mdm_trainer_forward(tr));
        MDM_TRY(mdm_trainer_compare(tr, late));
        *loss += late ? 0 : mdm_trainer_sum_losses(tr);
        if (isfinite(*loss))
            MDM_TRY(mdm_trainer_backward(tr, NULL));
    }
    return MASKDM_OK;
}

static int collect_losses(maskdm_trainer *tr, double *loss)
{
    int status;

    MDM_TRY(mdm_device_enter(tr->device));
    status = mdm_microbatch_collect(&tr->micro, tr->batch);
    mdm_device_leave(tr->device);
    *loss = mdm_trainer_sum_losses(tr);
    return status;
}

/* The loss is the mean over all images. Where they are of one part it comes with the norm, so that a device which
 * works behind its caller's back is waited for once. */
static int update(maskdm_trainer *tr, maskdm_data *data, double *loss)
{
    const int late = tr->accumulate == 1 && !tr->tune && mdm_microbatch_is_late(&tr->micro);
    double squares;

    MDM_TRY(sum_gradients(tr, data, late, loss));
    MDM_TRY(mdm_optimizer_measure(tr->optimizer, &squares));
    if (late)
        MDM_TRY(collect_losses(tr, loss));
    *loss /= (double)(tr->batch_size * tr->pace.groups);
    return mdm_optimizer_apply(tr->optimizer, 1, !isfinite(*loss), squares);
}

static int check_step(const maskdm_trainer *tr, const maskdm_data *data)
{
    if (tr->broken)
        return mdm_fail(MASKDM_EINVAL, "the trainer holds half of a state file; load one that is whole first");
    MDM_TRY(mdm_optimizer_check(tr->optimizer));
    return mdm_trainer_check_data(tr, data);
}

static int step(maskdm_trainer *tr, maskdm_data *data)
{
    double loss;
    int status = check_step(tr, data);

    if (!tr->ranks.comm)
        MDM_TRY(status);
    MDM_TRY(mdm_ranks_check(tr, "the step"));
    status = tr->ranks.comm ? mdm_ranks_step(tr, data, status, &loss) : update(tr, data, &loss);
    mdm_ahead_wait(&tr->ahead);
    if (status < 0) {
        struct mdm_failure why;

        mdm_failure_take(&why, status);
        tr->stage = MDM_STAGE_EMPTY;
        status = mdm_trainer_zero_gradients(tr);
        return status < 0 ? status : mdm_failure_record(&why);
    }
    tr->last_loss = loss;
    tr->stage = MDM_STAGE_EMPTY;
    if (!tr->optimizer->last_skipped) {
        tr->bad_in_a_row = 0;
        return MASKDM_OK;
    }
    tr->skipped++;
    if (++tr->bad_in_a_row < tr->max_bad_steps)
        return MASKDM_OK;
    return mdm_fail(MASKDM_ENONFINITE,
                    "%lld steps in a row up to step %lld had a loss or gradient that is not finite",
                    (long long)tr->bad_in_a_row, (long long)tr->optimizer->steps);
}

int mdm_trainer_step(maskdm_trainer *tr, maskdm_data *data)
{
    const double began = mdm_meter_begin(&tr->meter);
    const int status = step(tr, data);

    mdm_meter_end(&tr->meter, began);
    return status;
}

int mdm_trainer_take_back(maskdm_trainer *tr)
{
    struct mdm_backend *b = mdm_device_backend(tr->device);
    maskdm_optimizer *o = tr->optimizer;
    const float *block[] = {o->weights, o->moment1, o->moment2, o->ema, o->further[0], o->further[1], o->further[2]};
    double squares = 0;
    int status = MASKDM_OK;

    MDM_TRY(mdm_device_enter(tr->device));
    o->steps -= tr->bad_in_a_row;
    tr->skipped -= tr->bad_in_a_row;
    tr->bad_in_a_row = 0;
    for (size_t i = 0; i < MDM_LENGTH(block) && block[i] && status == MASKDM_OK && isfinite(squares); i++)
        status = b->v->sum_squares(b, &squares, block[i], o->length);
    mdm_device_leave(tr->device);
    if (status == MASKDM_OK && !isfinite(squares))
        return mdm_fail(MASKDM_ENONFINITE, "its weights or moments are not finite either");
    return status;
}

struct maskdm_progress mdm_trainer_progress(const maskdm_trainer *tr)
{
    struct maskdm_progress p = mdm_progress_blank();

    p.step = tr->optimizer->steps;
    p.images = mdm_pace_images(&tr->pace, p.step);
    p.skipped = tr->skipped;
    p.loss = tr->last_loss;
    p.lr = p.step ? mdm_optimizer_lr(tr->optimizer, p.step - 1) : (double)NAN;
    p.grad_norm = tr->optimizer->grad_norm;
    return p;
}
