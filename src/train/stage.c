/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From one stage of a run to the next: each has a trainer of its own, which begins with the weights of the one before
 * and, where it carries all, with its moments and average.
 */
#include "train/stage.h"

#include "base/error.h"
#include "base/rng.h"

/* The first stage draws what a run without stages draws; each other one what no other does. */
static uint64_t seed_of(uint64_t seed, int64_t stage)
{
    struct mdm_rng r = mdm_rng_make(seed, MDM_DRAW_STAGE, (uint64_t)stage, 0);
    const uint64_t high = mdm_rng_u32(&r);

    return stage == 1 ? seed : high << 32 | mdm_rng_u32(&r);
}

void mdm_trainer_set_stage(maskdm_trainer *tr, int64_t stage, int64_t first)
{
    tr->stage_number = stage;
    tr->stage_first = tr->average_first = first;
    tr->seed = seed_of(tr->run_seed, stage);
}

/* The trainer goes, but moments and averages stay until the optimizer is unbound. */
static void part(maskdm_optimizer *o)
{
    if (o->kind->unbind)
        o->kind->unbind(o);
    o->weights = o->gradients = NULL;
    o->layout = NULL;
    o->owner = NULL;
}

static void exchange(float **a, float **b)
{
    float *block = *a;

    *a = *b;
    *b = block;
}

/* Moments and averages of one of the same layout, as far as both have them, and what they count. */
static void carry(maskdm_optimizer *to, maskdm_optimizer *from)
{
    exchange(&to->moment1, &from->moment1);
    exchange(&to->moment2, &from->moment2);
    to->applied = from->applied;
    if (!to->ema || !from->ema)
        return;
    exchange(&to->ema, &from->ema);
    for (int i = 0; i < MDM_WIDTHS - 1; i++)
        if (to->further[i] && from->further[i])
            exchange(&to->further[i], &from->further[i]);
    to->ema_updates = from->ema_updates;
}

int mdm_trainer_leave(struct mdm_legacy *out, maskdm_trainer **trainer, int all)
{
    maskdm_trainer *tr = *trainer;
    maskdm_optimizer *o = tr->optimizer;
    int status;

    *out = (struct mdm_legacy){.skipped = tr->skipped};
    MDM_TRY(mdm_optimizer_check(o));
    MDM_TRY(mdm_model_like(&out->model, tr->model, NULL));
    status = mdm_model_take(out->model, 0);
    if (status == MASKDM_OK)
        status = mdm_device_copy(tr->device, out->model->ema, tr->weights, tr->block_bytes);
    if (status < 0) {
        mdm_model_drop(&out->model);
        return status;
    }
    if (all) {
        mdm_optimizer_hold(out->optimizer = o);
        part(o);
    }
    mdm_trainer_drop(trainer);
    return MASKDM_OK;
}

void mdm_trainer_inherit(maskdm_trainer *tr, struct mdm_legacy *legacy)
{
    tr->skipped = legacy->skipped;
    if (legacy->optimizer)
        carry(tr->optimizer, legacy->optimizer);
    if (tr->optimizer->ema)
        tr->model->ema = tr->optimizer->ema; /* the model is a view of it */
    mdm_legacy_free(legacy);
}

void mdm_legacy_free(struct mdm_legacy *legacy)
{
    mdm_model_drop(&legacy->model);
    if (legacy->optimizer)
        mdm_optimizer_unbind(legacy->optimizer);
    mdm_optimizer_drop(&legacy->optimizer);
}
