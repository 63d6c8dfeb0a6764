/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The run itself: step, tell, log, validate, sample, save, until the steps are done or somebody stops it.
 */
#include "run/run.h"

#include "run/options.h"
#include "util/error.h"

#include <math.h>
#include <string.h>

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

/* By steps, by the clock, and at the end; not within a row of steps that were not finite: they change nothing, and
 * their checkpoints would push out those from before. */
static int save_is_due(const struct maskdm_run *run, int last)
{
    if (last)
        return 1;
    if (run->trainer->bad_in_a_row)
        return 0;
    return due(run->trainer->optimizer->steps, run->save_every) ||
           (run->save_seconds > 0 && maskdm_clock() - run->saved_at >= run->save_seconds);
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
    if (save_is_due(run, last))
        MASKDM_TRY(maskdm_run_save(run));
    if (run->sample_every > 0 && (due(step, run->sample_every) || last))
        MASKDM_TRY(maskdm_run_preview(run));
    run->clock += maskdm_clock() - start;
    report(run);
    return MASKDM_OK;
}

static int train(struct maskdm_run *run)
{
    run->clock = run->saved_at = maskdm_clock();
    run->at_clock = run->trainer->optimizer->steps;
    if (run->at_clock >= run->steps)
        maskdm_log_line(maskdm_control_log(run->control), MASKDM_LOG_INFO,
                        "nothing is left to train: %s is at step %lld, and %s is %lld", run->out,
                        (long long)run->at_clock, maskdm_optionset_said(run->options, "steps"),
                        (long long)run->steps);
    while (run->trainer->optimizer->steps < run->steps) {
        MASKDM_TRY(maskdm_training_step(run->trainer, run->data));
        MASKDM_TRY(after_step(run));
        if (run->trainer->optimizer->steps < run->steps)
            MASKDM_TRY(maskdm_control_check(run->control, "training"));
    }
    return MASKDM_OK;
}

/* Save the last whole step of a run that ends early. Steps in a row that were not finite are taken back first; older
 * checkpoints then all stay, since the last good step's update may be what went wrong. */
static int save_last_step(struct maskdm_run *run, int status)
{
    if (status == MASKDM_ENONFINITE) {
        MASKDM_TRY(maskdm_training_take_back(run->trainer));
        run->keep++;
    }
    return run->trainer->optimizer->steps > run->saved ? maskdm_run_save(run) : MASKDM_OK;
}

/* Whatever ended the run, it leaves its last whole step on disk and says so, or why it cannot. */
static int finish(struct maskdm_run *run, int status)
{
    const struct maskdm_log *log = maskdm_control_log(run->control);
    struct maskdm_failure why;
    int saved;

    if (status == MASKDM_OK)
        return maskdm_run_save(run);
    if (run->trainer->optimizer->applied == 0)
        return status;
    maskdm_failure_take(&why, status);
    saved = save_last_step(run, status);
    if (status == MASKDM_ECANCELED && saved < 0)
        return saved;
    if (status == MASKDM_ECANCELED)
        maskdm_log_line(log, MASKDM_LOG_INFO, "saved step %lld in %s", (long long)run->saved, run->out);
    else if (saved == MASKDM_OK)
        return maskdm_fail(status, "%s; the state of step %lld is saved in %s/checkpoint-%lld.safetensors", why.text,
                           (long long)run->saved, run->out, (long long)run->saved);
    else if (strcmp(why.text, maskdm_error_text()) != 0)
        return maskdm_fail(status, "%s; step %lld is not saved: %s", why.text,
                           (long long)run->trainer->optimizer->steps, maskdm_error_text());
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
