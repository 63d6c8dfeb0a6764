/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The run itself: step, tell, log, validate, sample, save, until the steps are done or somebody stops it.
 */
#include "run/run.h"

#include "run/options.h"
#include "util/error.h"

#include <math.h>

/* Images per second since the last measurement, which is renewed once it is a second old. */
static void measure(struct maskdm_run *run)
{
    double now = maskdm_clock(), span = now - run->clock;
    int64_t step = run->trainer->optimizer->steps;

    if (span < 1 && !isnan(run->images_per_second))
        return;
    if (span > 0)
        run->images_per_second = (double)((step - run->at_clock) * run->trainer->batch_size) / span;
    if (span >= 1) {
        run->clock = now;
        run->at_clock = step;
    }
}

static void report(struct maskdm_run *run)
{
    struct maskdm_progress p = maskdm_training_progress(run->trainer);

    p.steps = run->steps;
    p.held_out_loss = run->held_out_loss;
    p.images_per_second = run->images_per_second;
    p.seconds_left = (double)((run->steps - p.step) * run->trainer->batch_size) / run->images_per_second;
    maskdm_control_report(run->control, &p);
}

static int due(int64_t step, int64_t every)
{
    return every > 0 && step % every == 0;
}

static int validate(struct maskdm_run *run)
{
    double loss, bucket[MASKDM_RUN_BUCKETS];

    MASKDM_TRY(maskdm_training_validate(run->trainer, run->held_out, run->val_count, MASKDM_WEIGHTS_EMA, &loss,
                                        bucket, MASKDM_RUN_BUCKETS));
    run->validated = run->trainer->optimizer->steps;
    run->held_out_loss = loss;
    for (int k = 0; k < MASKDM_RUN_BUCKETS; k++)
        run->bucket[k] = bucket[k];
    return MASKDM_OK;
}

/* What is due after a step; time spent here does not count as training time. */
static int after_step(struct maskdm_run *run)
{
    int64_t step = run->trainer->optimizer->steps;
    int last = step >= run->steps;
    double start;

    measure(run);
    start = maskdm_clock();
    if (run->held_out && (due(step, run->val_every) || last))
        MASKDM_TRY(validate(run));
    if (due(step, run->log_every) || last || run->validated == step)
        MASKDM_TRY(maskdm_run_log_step(run));
    if (due(step, run->save_every) || last)
        MASKDM_TRY(maskdm_run_save(run));
    if (run->sample_every > 0 && (due(step, run->sample_every) || last))
        MASKDM_TRY(maskdm_run_preview(run));
    run->clock += maskdm_clock() - start;
    report(run);
    return MASKDM_OK;
}

static int train(struct maskdm_run *run)
{
    run->clock = maskdm_clock();
    run->at_clock = run->trainer->optimizer->steps;
    while (run->trainer->optimizer->steps < run->steps) {
        MASKDM_TRY(maskdm_training_step(run->trainer, run->data));
        MASKDM_TRY(after_step(run));
        if (run->trainer->optimizer->steps < run->steps)
            MASKDM_TRY(maskdm_control_check(run->control, "training"));
    }
    return MASKDM_OK;
}

/* Whatever ended the run, the last whole step is saved, except behind a row of steps that were not finite: the state
 * is that of the last good step, and its checkpoint stays the newest. */
static int finish(struct maskdm_run *run, int status)
{
    struct maskdm_failure why;
    int saved;

    if (status == MASKDM_ENONFINITE)
        return status;
    if (status == MASKDM_OK)
        return maskdm_run_save(run);
    if (run->trainer->optimizer->steps == 0 || run->trainer->optimizer->steps == run->saved)
        return status;
    maskdm_failure_take(&why, status);
    saved = maskdm_run_save(run);
    if (saved < 0 && status == MASKDM_ECANCELED)
        return saved;
    if (saved == MASKDM_OK)
        maskdm_log_line(maskdm_control_log(run->control), MASKDM_LOG_INFO, "saved step %lld; resume=true goes on",
                        (long long)run->saved);
    return maskdm_failure_record(&why);
}

static int run_kind(maskdm_model **out, const maskdm_options *options, const struct maskdm_option_kind *kind,
                    maskdm_data *data, maskdm_mask *mask, maskdm_control *control)
{
    struct maskdm_run run = {.saved = -1,
                             .published = -1,
                             .validated = -1,
                             .held_out_loss = (double)NAN,
                             .images_per_second = (double)NAN};
    int status;

    if (out)
        *out = NULL;
    status = maskdm_run_open(&run, options, kind, data, mask, control);
    if (status == MASKDM_OK)
        status = maskdm_run_enter_folder(&run);
    if (status == MASKDM_OK)
        status = finish(&run, train(&run));
    if (status == MASKDM_OK && out)
        status = maskdm_weights_copy(out, run.trainer->model);
    maskdm_run_close(&run);
    return status;
}

int maskdm_run_pretrain(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                        maskdm_control *control)
{
    return run_kind(out, options, &maskdm_pretrain_kind, data, mask, control);
}

int maskdm_run_finetune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                        maskdm_control *control)
{
    return run_kind(out, options, &maskdm_finetune_kind, data, mask, control);
}
