/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The model that a run begins with: a fresh one, or a file's, with which the options then agree.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/scheduler.h"
#include "model/network.h"
#include "model/options.h"
#include "run/options.h"

#include <string.h>

static const char *network_of(const maskdm_options *o)
{
    struct mdm_network_options choice;

    mdm_options_read(o, &mdm_network_options, &choice);
    return mdm_network_at(choice.network)->name;
}

int mdm_run_fresh_model(struct mdm_run *run)
{
    maskdm_scheduler *scheduler;
    int status;

    MDM_TRY(mdm_scheduler_create(&scheduler, run->options));
    status = mdm_model_create(&run->model, run->device, network_of(run->options), run->options, scheduler, run->seed);
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

int mdm_run_load_model(struct mdm_run *run)
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
