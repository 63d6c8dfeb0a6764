/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much memory training takes, before any is taken.
 */
#include "train/trainer.h"

#include "base/checked.h"
#include "base/error.h"
#include "train/options.h"
#include "train/tune.h"

/* Bytes of a whole trainer: its own blocks and the optimizer's, arena, micro-batch and images ahead. */
static int add_up(size_t *sum, maskdm_device *device, const struct mdm_model_needs *needs, int averages,
                  int64_t batch)
{
    const size_t blocks = 2 + (size_t)mdm_optimizer_blocks(averages);

    if (mdm_mul_size(sum, needs->block, blocks) || mdm_add_size(sum, *sum, needs->arena) ||
        mdm_add_size(sum, *sum, mdm_microbatch_bytes(batch, needs->values)) ||
        mdm_add_size(sum, *sum, mdm_ahead_bytes(device, batch, needs->values)))
        return mdm_fail(MASKDM_EINVAL, "a batch of %lld images does not fit any memory", (long long)batch);
    return MASKDM_OK;
}

static int add_levels(size_t *sum, const struct mdm_pace *pace, maskdm_model *model, int averages)
{
    const struct mdm_geometry *g = &model->geometry;
    struct mdm_model_needs needs = {.block = mdm_model_bytes(model), .values = g->height * g->width * g->channels};
    struct mdm_extent largest, most;

    MDM_TRY(mdm_levels_largest(&needs.arena, &largest, pace, model, MDM_PROGRAM_TRAIN));
    MDM_TRY(mdm_levels_most(&most, pace, model));
    return add_up(sum, model->device, &needs, averages, most.batch);
}

int mdm_trainer_check_memory(maskdm_trainer *tr, maskdm_model *model)
{
    size_t sum = 0;

    MDM_TRY(add_levels(&sum, &tr->pace, model, tr->optimizer->rule.widths));
    sum += mdm_optimizer_bytes(tr->optimizer, model->device, &model->layout);
    MDM_TRY(mdm_device_take(
        model->device, sum,
        mdm_device_keeps(model->device)
            ? "training (weights, gradients, moments, average, arena and batch; recompute=yes takes less)"
            : "training (weights, gradients, moments, average, arena and batch)"));
    mdm_device_give(model->device, sum);
    tr->memory = sum;
    return MASKDM_OK;
}

static int add_tuning(size_t *sum, const struct mdm_pace *pace, const maskdm_model *model)
{
    size_t bytes;

    MDM_TRY(mdm_tune_bytes(&bytes, pace, model));
    if (mdm_add_size(sum, *sum, bytes))
        return mdm_fail(MASKDM_EINVAL, "this tuning does not fit any memory");
    return MASKDM_OK;
}

static int plan_run(struct mdm_pace *pace, const struct mdm_geometry *g, const maskdm_options *options)
{
    const struct mdm_grids grids = mdm_geometry_grids(g);
    maskdm_mask *mask;
    maskdm_options *o;
    int status;

    MDM_TRY(mdm_options_extract(&o, options, &mdm_trainer_kind));
    status = mdm_mask_create(&mask, options);
    if (status == MASKDM_OK)
        status = mdm_pace_plan(pace, mask, &grids, o);
    mdm_mask_drop(&mask);
    mdm_options_release(&o);
    return status;
}

int mdm_trainer_estimate(size_t *bytes, maskdm_device *device, const char *network, const maskdm_options *options,
                         struct mdm_extent extent)
{
    struct mdm_model_needs needs;
    struct mdm_pace pace;
    maskdm_model *model;
    int status;

    MDM_TRY(mdm_device_need_float(device, "training"));
    if (extent.batch) {
        MDM_TRY(mdm_model_needs(&needs, device, network, options, 1, extent));
        return add_up(bytes, device, &needs, 1, extent.batch);
    }
    MDM_TRY(mdm_model_shell(&model, device, network, options, NULL));
    status = plan_run(&pace, &model->geometry, options);
    if (status == MASKDM_OK)
        status = add_levels(bytes, &pace, model, 1);
    if (status == MASKDM_OK && mdm_options_text(options, "tune_q"))
        status = add_tuning(bytes, &pace, model);
    mdm_model_drop(&model);
    return status;
}
