/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stages of a run, one after the other: which options each has, its trainer, and how the next one begins.
 * Whatever a later stage can be refused for is found before the first begins.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "data/data.h"
#include "diffusion/scheduler.h"
#include "train/stage.h"
#include "train/tune.h"

#include <string.h>

/* ---- options ---- */

enum { PAUSES = 4, WORTH_PAUSING = 200 /* steps */ };

/* How often to look at what there is, where nobody said so. */
static void settle_pace(struct mdm_run *run)
{
    const int64_t every = run->total < WORTH_PAUSING ? 0 : run->total / PAUSES + (run->total % PAUSES > 0);

    if (!*mdm_options_text(run->now, "sample_every"))
        run->told.sample_every = every;
    if (!*mdm_options_text(run->now, "val_every"))
        run->told.val_every = every;
}

int mdm_run_choose_stage(struct mdm_run *run, int stage)
{
    maskdm_options *now;

    MDM_TRY(mdm_options_stage(&now, run->options, stage));
    mdm_options_release(&run->now);
    run->now = now;
    run->stage = stage;
    mdm_options_read(now, mdm_options_kind(now)->table[0], &run->told);
    settle_pace(run);
    return mdm_run_settle(now);
}

int mdm_run_plan_stages(struct mdm_run *run)
{
    const int stages = mdm_options_stages(run->options);

    run->stages = stages ? stages : 1;
    if (!stages)
        MDM_TRY(mdm_run_settle(run->options));
    run->plan = mdm_need((size_t)run->stages, sizeof *run->plan, "the stages of a run");
    if (!run->plan)
        return MASKDM_ENOMEM;
    for (int k = 0; k < run->stages; k++) {
        MDM_TRY(mdm_run_choose_stage(run, k));
        run->plan[k].first = run->plan[k].average_first = run->total;
        if (k && run->told.carry == MDM_CARRY_ALL)
            run->plan[k].average_first = run->plan[k - 1].average_first;
        if (mdm_add_i64(&run->total, run->total, run->told.steps))
            return mdm_fail(MASKDM_EINVAL, "the steps of the %d stages are too many to count", run->stages);
        run->masked |= strcmp(mdm_options_text(run->now, "mask"), "none") != 0;
    }
    return mdm_run_choose_stage(run, 0);
}

/* ---- trainers ---- */

/* The model as the stage wants it: what it chooses of network and scheduler changes no weight. */
static int dress(struct mdm_run *run)
{
    maskdm_scheduler *scheduler;
    maskdm_options *part;
    int changed, status;

    MDM_TRY(mdm_options_clone(&part, run->model->options));
    status = mdm_options_follow_stage(part, run->now, &changed);
    if (status == MASKDM_OK && changed)
        status = mdm_model_retrain(run->model, part);
    mdm_options_release(&part);
    MDM_TRY(status);
    MDM_TRY(mdm_options_clone(&part, run->model->scheduler->options));
    status = mdm_options_follow_stage(part, run->now, &changed);
    if (status == MASKDM_OK && changed) {
        status = mdm_scheduler_create(&scheduler, part);
        if (status == MASKDM_OK) {
            mdm_scheduler_drop(&run->model->scheduler);
            run->model->scheduler = scheduler;
        }
    }
    mdm_options_release(&part);
    return status;
}

static void drop_trainer(struct mdm_run *run)
{
    mdm_trainer_drop(&run->trainer);
    mdm_optimizer_drop(&run->optimizer);
    mdm_mask_drop(&run->mask);
}

/* From run->model, which stays. */
static int make_trainer(struct mdm_run *run)
{
    const maskdm_options *o = run->now;

    if (mdm_options_stages(run->options))
        MDM_TRY(dress(run));
    if (run->given_mask && !strcmp(mdm_options_text(o, "mask"), "custom"))
        mdm_mask_hold(run->mask = run->given_mask);
    else
        MDM_TRY(mdm_mask_create(&run->mask, o));
    MDM_TRY(mdm_optimizer_create(&run->optimizer, o, o));
    MDM_TRY(mdm_run_check_snapshots(run));
    MDM_TRY(mdm_trainer_create(&run->trainer, run->model, run->mask, run->optimizer, o, run->control));
    MDM_TRY(mdm_ranks_set(run->trainer, run->comm));
    if (run->tune)
        MDM_TRY(mdm_tune_begin(run->trainer, o));
    mdm_trainer_set_stage(run->trainer, run->stage + 1, mdm_run_first(run));
    run->trainer->average_first = run->plan[run->stage].average_first;
    return mdm_run_give_retained(run);
}

#define MOST_TOKENS 0x1p62 /* which an int64_t counts */

/* Visible patches of all images of so many steps. */
static double count_tokens(const struct mdm_pace *pace, int64_t steps)
{
    double tokens = 0;

    for (int i = 0; i < pace->levels && pace->level[i].from < steps; i++) {
        const int64_t end = i + 1 < pace->levels && pace->level[i + 1].from < steps ? pace->level[i + 1].from : steps;

        tokens += (double)(mdm_pace_images(pace, end) - pace->level[i].before) *
                  (double)(pace->level[i].visible * pace->groups);
    }
    return tokens;
}

/* Moments and averages mean something under the kinds that made them. */
static int check_carried(const struct mdm_run *run)
{
    static const char *const same[] = {"optimizer", "ema", "ema_std"};
    maskdm_options *before;
    int status;

    MDM_TRY(mdm_options_stage(&before, run->options, run->stage - 1));
    status = MASKDM_OK;
    for (size_t i = 0; i < MDM_LENGTH(same) && status == MASKDM_OK; i++) {
        const char *was = mdm_options_text(before, same[i]), *is = mdm_options_text(run->now, same[i]);

        if (was && is && strcmp(was, is) != 0)
            status = mdm_fail(MASKDM_EINVAL, "%s all, but %s is %s, and %s in the stage before",
                              mdm_options_said(run->now, "carry"), mdm_options_said(run->now, same[i]), is, was);
    }
    mdm_options_release(&before);
    return status;
}

/* A trainer for it as it will be made in its turn, beside what it is to carry. */
static int try_stage(struct mdm_run *run)
{
    const int carries = run->stage > 0 && run->told.carry == MDM_CARRY_ALL;
    const size_t carried = (size_t)mdm_optimizer_blocks(MDM_WIDTHS) * mdm_model_bytes(run->model);
    struct mdm_run_plan *plan = &run->plan[run->stage];
    int status;

    if (carries)
        MDM_TRY(check_carried(run));
    if (carries)
        MDM_TRY(mdm_device_take(run->device, carried, "moments and average, on their way into another stage"));
    status = make_trainer(run);
    if (carries)
        mdm_device_give(run->device, carried);
    MDM_TRY(status);
    plan->tokens = count_tokens(&run->trainer->pace, run->told.steps);
    if (run->stages > 1 && plan->tokens < MOST_TOKENS)
        MDM_TRY(mdm_trainer_cost_of(run->trainer, run->told.steps, &plan->cost));
    return mdm_run_check_images(run);
}

int mdm_run_try_stages(struct mdm_run *run)
{
    for (int k = run->stages - 1; k >= 0; k--) {
        int status;

        MDM_TRY(mdm_run_choose_stage(run, k));
        status = try_stage(run);
        if (status < 0)
            return run->stages > 1 && status != MASKDM_ENOMEM ? mdm_fail_prefix(status, "stage %d", k + 1) : status;
        if (k)
            drop_trainer(run);
    }
    return MASKDM_OK;
}

int mdm_run_stage_of(const struct mdm_run *run, int64_t step)
{
    int stage = run->stages - 1;

    while (stage > 0 && step <= run->plan[stage].first)
        stage--;
    return stage;
}

int mdm_run_go_to_stage(struct mdm_run *run, int stage)
{
    if (stage == run->stage)
        return MASKDM_OK;
    drop_trainer(run);
    MDM_TRY(mdm_run_choose_stage(run, stage));
    return make_trainer(run);
}

int mdm_run_next_stage(struct mdm_run *run)
{
    struct mdm_legacy legacy;
    maskdm_options *next;
    int status, all;

    MDM_TRY(mdm_options_stage(&next, run->options, run->stage + 1));
    all = !strcmp(mdm_options_text(next, "carry"), "all");
    mdm_options_release(&next);
    run->spent_seconds += run->trainer->meter.seconds;
    run->spent_joules += run->trainer->meter.joules;
    MDM_TRY(mdm_trainer_leave(&legacy, &run->trainer, all));
    drop_trainer(run);
    status = mdm_run_choose_stage(run, run->stage + 1);
    run->model = legacy.model;
    if (status == MASKDM_OK)
        status = make_trainer(run);
    legacy.model = run->model;
    run->model = NULL;
    if (status < 0) {
        mdm_legacy_free(&legacy);
        return status;
    }
    mdm_trainer_inherit(run->trainer, &legacy);
    MDM_TRY(mdm_run_pick_images(run));
    mdm_run_tell_identity(run, run->trainer->data);
    return mdm_run_log_stage(run);
}
