/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a composite of options to the parts of a run. What costs nothing comes first: no image is read before all that
 * can be checked without it has been.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/data.h"
#include "data/options.h"
#include "data/scan.h"
#include "diffusion/options.h"
#include "diffusion/scheduler.h"
#include "model/network.h"
#include "model/options.h"
#include "run/device.h"
#include "run/options.h"
#include "text/text.h"
#include "train/options.h"

#include <string.h>

static const char given[] = "(given by the caller)";

/* Handles that stand in for options leave a word in their place, so that options.json is complete. */
static int read_options(struct mdm_run *run, const maskdm_options *options, const struct mdm_option_kind *kind,
                        const maskdm_data *data, const maskdm_mask *mask)
{
    struct mdm_trainer_options trainer;
    maskdm_options *o;

    if (!options || mdm_options_kind(options) != kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind \"%s\" are needed, not %s", kind->name,
                        options ? mdm_options_kind(options)->name : "NULL");
    MDM_TRY(mdm_options_clone(&run->options, options));
    o = run->options;
    if (data)
        MDM_TRY(mdm_options_set(o, "data", given));
    if (mask)
        MDM_TRY(mdm_options_set(o, "mask", "custom"));
    MDM_TRY(mdm_options_check(o));
    MDM_TRY(mdm_options_check_needs(o, kind->table[0]));
    MDM_TRY(mdm_options_check_needs(o, &mdm_images_options));
    mdm_options_read(o, &mdm_trainer_options, &trainer);
    run->seed = (uint64_t)trainer.seed;
    MDM_TRY(run->tune ? mdm_run_check_tuning(o) : MASKDM_OK);
    MDM_TRY(mdm_run_plan_stages(run));
    run->finetune = run->told.init && *run->told.init; /* NULL: the kind has none */
    if (!run->finetune && mdm_run_is_adapting(run))
        return mdm_fail(MASKDM_EINVAL, "%s goes with %s, which is not given", mdm_options_said(o, "lora_rank"),
                        mdm_options_said(o, "init"));
    return MASKDM_OK;
}

static const char *network_of(const maskdm_options *o)
{
    struct mdm_network_options choice;

    mdm_options_read(o, &mdm_network_options, &choice);
    return mdm_network_at(choice.network)->name;
}

static int fresh_model(struct mdm_run *run)
{
    maskdm_scheduler *scheduler;
    int status;

    MDM_TRY(mdm_scheduler_create(&scheduler, run->options));
    status = mdm_model_create(&run->model, run->device, network_of(run->options), run->options, scheduler,
                              run->seed);
    mdm_scheduler_drop(&scheduler);
    return status;
}

static int disagree(const struct mdm_run *run, const char *name, const char *theirs, const char *why)
{
    return mdm_fail(MASKDM_EINVAL, "%s is %s, but %s was made with %s%s", mdm_options_said(run->options, name),
                    mdm_options_text(run->options, name), run->told.init, theirs, why);
}

/* What the caller gave must agree with the file; what it left open becomes what the file says. */
static int follow(struct mdm_run *run, const maskdm_options *file, const char *why)
{
    const char *name;

    MDM_TRY(mdm_options_follow(run->options, file, &name));
    return name ? disagree(run, name, mdm_options_text(file, name), why) : MASKDM_OK;
}

static int follow_network(struct mdm_run *run)
{
    maskdm_options *network;
    int status;

    MDM_TRY(mdm_run_plan_transfer(run, &network));
    status = follow(run, network, ", and only image_size, patch_size, channels and classes can become others");
    mdm_options_release(&network);
    return status;
}

static int follow_model(struct mdm_run *run)
{
    const char *network = run->model->network->name;

    if (strcmp(network, network_of(run->options)) != 0) {
        if (mdm_options_is_set(run->options, "network"))
            return disagree(run, "network", network, ", and the two share no weights");
        MDM_TRY(mdm_options_set(run->options, "network", network));
    }
    MDM_TRY(follow_network(run));
    MDM_TRY(follow(run, run->model->scheduler->options, ""));
    MDM_TRY(mdm_options_check(run->options)); /* what was given for another network or process */
    return run->transfer ? MASKDM_OK : mdm_model_retrain(run->model, run->options);
}

/* A run that is resumed has its weights in its checkpoint, so that the file it began from may be gone; network and
 * schedule are then those of the model in its folder. */
static int load_own_model(struct mdm_run *run, enum maskdm_weights which)
{
    struct mdm_failure why;
    char *path;
    int status;

    mdm_failure_take(&why, MASKDM_ENOTFOUND);
    path = mdm_path_join(run->told.out, "model.safetensors");
    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_model_load_one(&run->model, run->device, path, which);
    mdm_free(path);
    return status == MASKDM_ENOTFOUND ? mdm_failure_record(&why) : status;
}

/* On whole images the channel that tells hidden pixels is 0, so that it goes unless the caller wants it. */
static int fold_model(struct mdm_run *run)
{
    const char *wanted;
    maskdm_model *folded;
    int set;

    if (!mdm_model_has_mask_channel(run->model) || mdm_run_is_adapting(run))
        return MASKDM_OK;
    wanted = mdm_options_text(run->options, run->model->network->mask_channel->option);
    set = mdm_options_is_set(run->options, run->model->network->mask_channel->option);
    if (set ? !strcmp(wanted, "true") : run->masked)
        return MASKDM_OK;
    MDM_TRY(mdm_model_fold(&folded, run->model));
    mdm_model_drop(&run->model);
    run->model = folded;
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                 "the input channel that told hidden pixels is left out: on whole images it is 0");
    return MASKDM_OK;
}

static int load_model(struct mdm_run *run)
{
    const enum maskdm_weights which =
        run->told.init_weights == MDM_INIT_EMA ? MASKDM_WEIGHTS_EMA : MASKDM_WEIGHTS_ONLINE;
    int status = mdm_model_load_one(&run->model, run->device, run->told.init, which);

    if (status == MASKDM_ENOTFOUND && run->told.resume)
        status = load_own_model(run, which);
    MDM_TRY(status);
    MDM_TRY(fold_model(run));
    return follow_model(run);
}

/* What can be refused is refused here, in the order of what it costs to find out. */
static int prepare(struct mdm_run *run, maskdm_data *data)
{
    MDM_TRY(mdm_run_check_folders(run, data));
    MDM_TRY(mdm_run_enter_folder(run));
    MDM_TRY(mdm_run_open_device(&run->device, run->told.device, run->options, mdm_control_log(run->control)));
    MDM_TRY(mdm_run_recall_from_data(run));
    MDM_TRY(mdm_run_count_classes(run, data));
    if (run->finetune)
        MDM_TRY(load_model(run));    /* which completes the options */
    if (run->told.resume)
        MDM_TRY(mdm_run_compare_options(run));
    MDM_TRY(mdm_run_find_images(run, data));
    MDM_TRY(mdm_run_choose_channels(run));
    MDM_TRY(mdm_run_find_retained(run));
    MDM_TRY(run->finetune ? mdm_run_transfer(run, data) : fresh_model(run));
    MDM_TRY(mdm_run_take_images(run, data));
    MDM_TRY(mdm_run_take_retained(run));
    if (run->told.resume)
        MDM_TRY(mdm_run_compare_data(run));
    MDM_TRY(mdm_run_match_labels(run));
    MDM_TRY(run->finetune ? mdm_run_adapt(run) : MASKDM_OK);
    MDM_TRY(mdm_run_try_stages(run));
    if (run->stages == 1)
        mdm_model_drop(&run->model); /* the trainer has its own copy */
    MDM_TRY(mdm_run_check_preview(run));
    MDM_TRY(mdm_run_open_judge(run));
    if (run->told.resume)
        MDM_TRY(mdm_run_load_checkpoint(run));
    mdm_model_drop(&run->model);
    return MASKDM_OK;
}

int mdm_run_open(struct mdm_run *run, const maskdm_options *options, const struct mdm_option_kind *kind,
                 maskdm_data *data, maskdm_mask *mask, maskdm_control *control)
{
    run->tune = kind == &mdm_tune_kind;
    mdm_control_hold(control);
    run->control = control;
    if (mask)
        mdm_mask_hold(run->given_mask = mask);
    mdm_run_log_listen(run);
    MDM_TRY(read_options(run, options, kind, data, mask));
    MDM_TRY(prepare(run, data));
    MDM_TRY(mdm_run_read_images(run));
    MDM_TRY(mdm_run_read_retained(run));
    mdm_run_tell(run);
    MDM_TRY(mdm_run_tell_step(run));
    return mdm_run_begin(run);
}

void mdm_run_close(struct mdm_run *run)
{
    mdm_appender_close(&run->log);
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
    mdm_control_drop(&run->control);
}
