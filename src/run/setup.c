/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a composite of options to a run whose parts are there (prepare.c), and away with them again.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/data.h"
#include "data/options.h"
#include "run/options.h"
#include "run/ranks.h"
#include "text/text.h"
#include "train/options.h"

#include <string.h>

static const char given[] = "(given by the caller)";

/* Handles that stand in for options leave a word in their place, so that options.json is complete. */
static int read_options(struct mdm_run *run, const maskdm_options *options, const struct mdm_option_kind *kind)
{
    struct mdm_trainer_options trainer;
    maskdm_options *o;

    if (!options || mdm_options_kind(options) != kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind \"%s\" are needed, not %s", kind->name,
                        options ? mdm_options_kind(options)->name : "NULL");
    MDM_TRY(mdm_options_clone(&run->options, options));
    o = run->options;
    if (run->given)
        MDM_TRY(mdm_options_set(o, "data", given));
    if (run->given_mask)
        MDM_TRY(mdm_options_set(o, "mask", "custom"));
    MDM_TRY(mdm_run_override(run));
    MDM_TRY(mdm_run_keep_turns(run));
    MDM_TRY(mdm_run_settle_parts(run));
    run->dry = !strcmp(mdm_options_text(o, "dry_run"), "true");
    MDM_TRY(mdm_run_pass(run, mdm_options_check(o)));
    MDM_TRY(mdm_run_pass(run, mdm_options_check_needs(o, kind->table[0])));
    MDM_TRY(mdm_run_pass(run, mdm_options_check_needs(o, &mdm_images_options)));
    mdm_options_read(o, &mdm_trainer_options, &trainer);
    run->seed = (uint64_t)trainer.seed;
    run->classes_given = mdm_options_is_set(o, "classes");
    MDM_TRY(mdm_run_pass(run, run->tune ? mdm_run_check_tuning(o) : MASKDM_OK));
    MDM_TRY(mdm_run_plan_stages(run));
    run->finetune = run->told.init && *run->told.init; /* NULL: the kind has none */
    if (!run->finetune && mdm_run_is_adapting(run))
        return mdm_fail(MASKDM_EINVAL, "%s goes with %s, which is not given", mdm_options_said(o, "lora_rank"),
                        mdm_options_said(o, "init"));
    return MASKDM_OK;
}

int mdm_run_open(struct mdm_run *run, const maskdm_options *options, const struct mdm_option_kind *kind,
                 maskdm_data *data, maskdm_mask *mask, maskdm_control *control)
{
    int status;

    run->tune = kind == &mdm_tune_kind;
    mdm_control_hold(control);
    run->control = control;
    run->given = data;
    if (mask)
        mdm_mask_hold(run->given_mask = mask);
    mdm_run_join(run);
    mdm_run_log_listen(run);
    status = read_options(run, options, kind);
    if (status == MASKDM_OK)
        status = mdm_run_prepare(run);
    MDM_TRY(mdm_run_compare_ranks(run, status));
    mdm_run_tell(run);
    MDM_TRY(mdm_run_tell_step(run));
    MDM_TRY(mdm_run_tell_plan(run));
    return run->dry ? MASKDM_OK : mdm_run_begin(run);
}

void mdm_run_close(struct mdm_run *run)
{
    mdm_appender_close(&run->log);
    mdm_appender_close(&run->events);
    mdm_run_leave_folder(run);
    mdm_text_free(&run->notes);
    mdm_text_free(&run->transferred);
    mdm_run_close_judge(run);
    mdm_trainer_drop(&run->trainer);
    mdm_optimizer_drop(&run->optimizer);
    mdm_mask_drop(&run->mask);
    mdm_mask_drop(&run->given_mask);
    if (run->held_out)
        mdm_data_release(&run->held_out);
    if (run->data)
        mdm_data_release(&run->data);
    if (run->whole)
        mdm_data_release(&run->whole);
    if (run->all)
        mdm_data_release(&run->all);
    mdm_scan_free(&run->found);
    if (run->retained)
        mdm_data_release(&run->retained);
    mdm_scan_free(&run->found_held_out);
    mdm_scan_free(&run->found_retained);
    mdm_model_drop(&run->model);
    mdm_device_drop(&run->device);
    mdm_free(run->plan);
    mdm_options_release(&run->now);
    mdm_options_release(&run->options);
    mdm_run_part(run);
    mdm_control_drop(&run->control);
}
