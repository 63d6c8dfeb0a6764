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

/* The share in steps, which are what masks know of. */
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
    if (!mdm_options_is_set(stage, "mask_steps") && masked < told->steps && policy != &mdm_mask_none)
        return mdm_options_set_int(stage, "mask_steps", masked);
    return MASKDM_OK;
}

int mdm_run_settle(maskdm_options *stage)
{
    struct mdm_train_run_options told;
    struct mdm_mask_options mask;

    mdm_options_read(stage, mdm_options_kind(stage)->table[0], &told);
    MDM_TRY(settle_mask(stage, &told));
    MDM_TRY(mdm_options_text(stage, "tune_q") ? mdm_run_settle_tuning(stage, told.steps) : MASKDM_OK);
    mdm_options_read(stage, &mdm_mask_options, &mask);
    return mdm_lr_settle(stage, told.steps, mask.steps);
}
