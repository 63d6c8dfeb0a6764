/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The run itself: step, tell, log, validate, sample, save, until the steps are done or somebody stops it.
 */
#include "run/run.h"

#include "base/clock.h"
#include "base/error.h"
#include "run/options.h"
#include "run/ranks.h"

#include <math.h>
#include <string.h>

/* Images of the steps of the stage at hand from one up to another. */
static double count_images(const struct mdm_run *run, int64_t from, int64_t end)
{
    const struct mdm_pace *pace = &run->trainer->pace;

    return (double)(mdm_pace_images(pace, end) - mdm_pace_images(pace, from));
}

enum { MEASURED_AFTER = 10 }; /* steps */

/* Seconds of training: the clock stands still while something else is done between steps. */
static double training_clock(const struct mdm_run *run)
{
    return mdm_clock() - run->aside;
}

/* Images per second since the last measurement, which is renewed once it is a second old. */
static void measure(struct mdm_run *run)
{
    double now = training_clock(run), span = now - run->clock;
    int64_t step = run->trainer->optimizer->steps;

    mdm_rate_note(&run->rate, now, count_images(run, 0, step));
    if (span < 1 && !isnan(run->images_per_second))
        return;
    if (span > 0)
        run->images_per_second = count_images(run, run->at_clock, step) / span;
    if (span >= 1) {
        run->clock = now;
        run->at_clock = step;
    }
}

static void note_loss(struct mdm_run *run)
{
    const double loss = run->trainer->last_loss;

    if (!isfinite(loss))
        return;
    run->loss_sum += loss;
    run->losses++;
}

static void report(struct mdm_run *run)
{
    struct maskdm_progress p = mdm_run_progress(run);
    const double done = count_images(run, 0, run->trainer->optimizer->steps);

    p.held_out_loss = run->held_out_loss;
    p.images_per_second = run->images_per_second;
    p.seconds_left = mdm_run_images_left(run) / mdm_rate_at(&run->rate, training_clock(run), done);
    mdm_control_report(run->control, &p);
}

static int due(int64_t step, int64_t every)
{
    return every > 0 && step % every == 0;
}

static int validate(struct mdm_run *run)
{
    double loss, bucket[MDM_RUN_BUCKETS];

    MDM_TRY(mdm_trainer_validate(run->trainer, run->held_out, run->told.val_count, MASKDM_WEIGHTS_EMA, &loss, bucket,
                                 MDM_RUN_BUCKETS));
    run->validated = mdm_run_step(run);
    run->held_out_loss = loss;
    for (int k = 0; k < MDM_RUN_BUCKETS; k++)
        run->bucket[k] = bucket[k];
    return MASKDM_OK;
}

/* By steps, by the clock, and at the end of a stage, since the next one begins with what that made; not within a row
 * of steps that were not finite: they change nothing, and their checkpoints would push out those from before. */
static int save_is_due(const struct mdm_run *run, int last)
{
    if (last)
        return 1;
    if (run->trainer->bad_in_a_row)
        return 0;
    return due(mdm_run_step(run), run->told.save_every) || due(mdm_run_step(run), run->told.keep_every) ||
           (run->told.save_minutes > 0 && mdm_clock() - run->saved_at >= 60 * run->told.save_minutes);
}

/* What the host asked for stays asked for within a row of steps that were not finite. */
static int save_on_demand(struct mdm_run *run)
{
    if (run->trainer->bad_in_a_row || !mdm_control_wants_save(run->control))
        return MASKDM_OK;
    MDM_TRY(mdm_run_save(run));
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "saved step %lld in %s", (long long)run->saved,
                 run->told.out);
    return MASKDM_OK;
}

/* What is due after a step; time spent here does not count as training time. */
static int after_step(struct mdm_run *run)
{
    int64_t step = mdm_run_step(run);
    int last = run->trainer->optimizer->steps >= run->told.steps; /* of the stage */
    double start;

    measure(run);
    note_loss(run);
    mdm_run_time_step(run);
    if (!mdm_run_writes(run))
        return MASKDM_OK;
    start = mdm_clock();
    if (run->told.measure && run->trainer->optimizer->steps == run->first + MEASURED_AFTER)
        MDM_TRY(mdm_run_measure(run));
    if (run->held_out && (due(step, run->told.val_every) || last))
        MDM_TRY(validate(run));
    if (due(step, run->told.log_every) || last || run->validated == step)
        MDM_TRY(mdm_run_log_step(run));
    if (run->told.snapshot_every > 0 && (due(step, run->told.snapshot_every) || last))
        MDM_TRY(mdm_run_snapshot(run));
    if (save_is_due(run, last))
        MDM_TRY(mdm_run_save(run));
    MDM_TRY(save_on_demand(run));
    if (run->told.sample_every > 0 && (due(step, run->told.sample_every) || step >= run->total))
        MDM_TRY(mdm_run_preview(run));
    if (run->told.evaluate_every > 0 && (due(step, run->told.evaluate_every) || step >= run->total))
        MDM_TRY(mdm_run_evaluate(run));
    run->aside += mdm_clock() - start;
    report(run);
    return MASKDM_OK;
}

static void begin_clock(struct mdm_run *run)
{
    run->clock = training_clock(run);
    run->at_clock = run->first = run->trainer->optimizer->steps;
    mdm_rate_begin(&run->rate, run->clock, count_images(run, 0, run->first));
    run->images_per_second = (double)NAN;
}

static int train(struct mdm_run *run)
{
    begin_clock(run);
    run->saved_at = run->begun_at = run->clock;
    if (mdm_run_step(run) >= run->total)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                     "nothing is left to train: %s is at step %lld, and %s is %lld", run->told.out,
                     (long long)mdm_run_step(run), mdm_options_said(run->options, "steps"), (long long)run->total);
    for (;;) {
        while (run->trainer->optimizer->steps < run->told.steps) {
            MDM_TRY(mdm_trainer_step(run->trainer, run->data));
            MDM_TRY(after_step(run));
            if (mdm_run_step(run) < run->total)
                MDM_TRY(mdm_ranks_check(run->trainer, "training"));
        }
        if (run->stage + 1 == run->stages)
            return MASKDM_OK;
        MDM_TRY(mdm_run_tell_total(run));
        MDM_TRY(mdm_run_next_stage(run));
        mdm_run_tell(run);
        MDM_TRY(mdm_run_tell_step(run));
        begin_clock(run);
    }
}

/* Save the last whole step of a run that ends early. Steps in a row that were not finite are taken back first; older
 * checkpoints then all stay, since the last good step's update may be what went wrong. */
static int save_last_step(struct mdm_run *run, int status)
{
    if (status == MASKDM_ENONFINITE) {
        MDM_TRY(mdm_trainer_take_back(run->trainer));
        run->told.keep++;
    }
    return mdm_run_step(run) > run->saved ? mdm_run_save(run) : MASKDM_OK;
}

/* Whatever ended the run, it leaves its last whole step on disk and says so, or why it cannot. */
static int finish(struct mdm_run *run, int status)
{
    const struct mdm_log *log = mdm_control_log(run->control);
    struct mdm_failure why;
    int saved;

    if (status == MASKDM_OK)
        return mdm_run_save(run);
    if (!run->trainer || (run->trainer->optimizer->applied == 0 && !run->stage) || !mdm_run_writes(run))
        return status;
    mdm_failure_take(&why, status);
    saved = save_last_step(run, status);
    if (status == MASKDM_ECANCELED && saved < 0)
        return saved;
    if (status == MASKDM_ECANCELED)
        mdm_log_line(log, MASKDM_LOG_INFO, "saved step %lld in %s", (long long)run->saved, run->told.out);
    else if (saved == MASKDM_OK)
        return mdm_fail(status, "%s; the state of step %lld is saved in %s/checkpoint-%lld.safetensors", why.text,
                        (long long)run->saved, run->told.out, (long long)run->saved);
    else if (strcmp(why.text, mdm_error_text()) != 0)
        return mdm_fail(status, "%s; step %lld is not saved: %s", why.text, (long long)mdm_run_step(run),
                        mdm_error_text());
    return mdm_failure_record(&why);
}

static int run_kind(maskdm_model **out, const maskdm_options *options, const struct mdm_option_kind *kind,
                    maskdm_data *data, maskdm_mask *mask, maskdm_control *control)
{
    struct mdm_run run = {.saved = -1,
                          .published = -1,
                          .validated = -1,
                          .held_out_loss = (double)NAN,
                          .judge.best = (double)NAN,
                          .images_per_second = (double)NAN};
    int status;

    if (out)
        *out = NULL;
    status = mdm_run_open(&run, options, kind, data, mask, control);
    if (status == MASKDM_OK)
        status = run.dry ? mdm_run_rehearse(&run) : finish(&run, train(&run));
    status = mdm_run_meet(&run, status, "the end of a run");
    if (status == MASKDM_OK && !run.dry)
        status = mdm_run_tell_total(&run);
    if (status == MASKDM_OK && out && !run.dry)
        status = mdm_model_copy(out, run.trainer->model);
    mdm_run_close(&run);
    return status;
}

int mdm_run_train(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                  maskdm_control *control)
{
    return run_kind(out, options, &mdm_train_kind, data, mask, control);
}

int mdm_run_pretrain(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                     maskdm_control *control)
{
    return run_kind(out, options, &mdm_pretrain_kind, data, mask, control);
}

int mdm_run_finetune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                     maskdm_control *control)
{
    return run_kind(out, options, &mdm_finetune_kind, data, mask, control);
}

int mdm_run_tune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                 maskdm_control *control)
{
    return run_kind(out, options, &mdm_tune_kind, data, mask, control);
}
