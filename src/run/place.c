/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a run is. A trainer counts the steps of its stage; a run, its log and the names of its files count those of
 * all.
 */
#include "run/run.h"

#include "base/error.h"
#include "mask/mask.h"
#include "mask/options.h"
#include "train/lr.h"

#include <math.h>

int64_t mdm_run_first(const struct mdm_run *run)
{
    return run->plan[run->stage].first;
}

int64_t mdm_run_step(const struct mdm_run *run)
{
    return mdm_run_first(run) + run->trainer->optimizer->steps;
}

struct maskdm_progress mdm_run_progress(const struct mdm_run *run)
{
    struct maskdm_progress p = mdm_trainer_progress(run->trainer);

    p.step += mdm_run_first(run);
    p.steps = run->total;
    for (int k = 0; k < run->stage; k++)
        p.images += run->plan[k].cost.images;
    return p;
}

/* An image costs by its visible patches. */
double mdm_run_images_left(const struct mdm_run *run)
{
    const struct mdm_pace *pace = &run->trainer->pace;
    const int64_t step = run->trainer->optimizer->steps;
    const double of_image = (double)(mdm_pace_at(pace, step)->visible * pace->groups);
    double images = (double)(mdm_pace_images(pace, run->told.steps) - mdm_pace_images(pace, step));

    for (int k = run->stage + 1; k < run->stages; k++)
        images += run->plan[k].tokens / of_image;
    return images;
}

/* A rate that falls behind the mask does so in what the warm-up leaves, and one that nobody asked for only there. */
static int settle_fall(maskdm_options *stage, int64_t steps, int64_t masked)
{
    struct mdm_lr_options rate;
    int64_t left;

    mdm_options_read(stage, &mdm_lr_options, &rate);
    if (!mdm_options_is_set(stage, "warmup_steps")) /* which may be shortened */
        rate.warmup_steps = fmin(rate.warmup_steps, (double)(steps / 4));
    left = steps - (int64_t)ceil(fmin(rate.warmup_steps, (double)steps));
    if (!mdm_lr_form_of(&rate)->decays || rate.decay_steps)
        return MASKDM_OK;
    if (left < 1 && !mdm_options_is_set(stage, "lr_schedule"))
        return mdm_options_set(stage, "lr_schedule", "constant");
    if (!masked || masked >= steps)
        return MASKDM_OK;
    return mdm_options_set_int(stage, "decay_steps", steps - masked < left ? steps - masked : left);
}

/* The share in steps, which are what masks and schedules know of. */
static int settle_mask(maskdm_options *stage, const struct mdm_train_run_options *told)
{
    const int64_t masked = (int64_t)ceil(told->masked_share * (double)told->steps);
    const struct mdm_mask_policy *policy;
    struct mdm_mask_options mask;

    mdm_options_read(stage, &mdm_mask_options, &mask);
    policy = mdm_mask_policy_at(mask.type);
    if (told->masked_share <= 0)
        return mdm_fail(MASKDM_EINVAL, "%s %g: without masks it is %s none", mdm_options_said(stage, "masked_share"),
                        told->masked_share, mdm_options_said(stage, "mask"));
    if (told->masked_share < 1 && policy->groups)
        return mdm_fail(MASKDM_EINVAL, "%s %g: %s %s hides no patch that could be shown again",
                        mdm_options_said(stage, "masked_share"), told->masked_share, mdm_options_said(stage, "mask"),
                        policy->name);
    if (!mdm_options_is_set(stage, "mask_steps") && masked < told->steps && policy != &mdm_mask_none) {
        MDM_TRY(mdm_options_set_int(stage, "mask_steps", masked));
        mask.steps = masked;
    }
    return settle_fall(stage, told->steps, mask.steps);
}

int mdm_run_settle(maskdm_options *stage)
{
    struct mdm_train_run_options told;

    mdm_options_read(stage, mdm_options_kind(stage)->table[0], &told);
    MDM_TRY(settle_mask(stage, &told));
    MDM_TRY(mdm_options_text(stage, "tune_q") ? mdm_run_settle_tuning(stage, told.steps) : MASKDM_OK);
    return mdm_lr_settle(stage, told.steps);
}
