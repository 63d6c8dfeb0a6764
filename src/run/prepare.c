/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a run is made of, in the order of what it costs to find out that it cannot be. A run that is begun ends at the
 * first thing that is wrong; a dry run notes it, leaves out what would need it, and looks for more.
 */
#include "run/run.h"

#include "base/error.h"
#include "run/device.h"
#include "run/ranks.h"

#include <string.h>

int mdm_run_pass(struct mdm_run *run, int status)
{
    if (status >= 0 || !run->dry || status == MASKDM_ECANCELED)
        return status;
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_WARN, "problem %d: %s", ++run->problems, mdm_error_text());
    return MASKDM_OK;
}

/* ---- the parts ---- */

enum part {
    FOLDERS = 1 << 0, /* those of the images are there */
    PLACE = 1 << 1,   /* the run's own is ours */
    DEVICE = 1 << 2,
    FOUND = 1 << 3,  /* the images, and their channels */
    LOADED = 1 << 4, /* the model that it begins from, where it does */
    MODEL = 1 << 5,
    TAKEN = 1 << 6, /* memory for the images */
    TRAINER = 1 << 7
};

/* A dry run comes here without what has to be given. */
static int need(const struct mdm_run *run, const char *name)
{
    if (*mdm_options_text(run->options, name))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s is not given", mdm_options_said(run->options, name));
}

static int enter_folder(struct mdm_run *run)
{
    MDM_TRY(need(run, "out"));
    return mdm_run_writes(run) ? mdm_run_enter_folder(run) : MASKDM_OK;
}

static int check_folders(struct mdm_run *run)
{
    MDM_TRY(need(run, "data"));
    return mdm_run_check_folders(run);
}

static int open_device(struct mdm_run *run)
{
    MDM_TRY(mdm_run_open_device(&run->device, run->told.device, run->options, mdm_control_log(run->control)));
    return mdm_device_need_float(run->device, "training");
}

static int load_model(struct mdm_run *run)
{
    return run->finetune ? mdm_run_load_model(run) : MASKDM_OK;
}

static int compare_options(struct mdm_run *run)
{
    return run->told.resume ? mdm_run_compare_options(run) : MASKDM_OK;
}

static int find_images(struct mdm_run *run)
{
    MDM_TRY(mdm_run_find_images(run));
    return mdm_run_choose_channels(run);
}

/* A dry run whose images cannot be found takes a network for what they might be. */
static int make_model(struct mdm_run *run)
{
    if (run->problems && !strcmp(mdm_options_text(run->options, "classes"), "auto"))
        MDM_TRY(mdm_options_set_int(run->options, "classes", 0));
    return run->finetune ? mdm_run_transfer(run) : mdm_run_fresh_model(run);
}

static int take_images(struct mdm_run *run)
{
    MDM_TRY(mdm_run_take_images(run));
    return mdm_run_take_retained(run);
}

static int compare_data(struct mdm_run *run)
{
    return run->told.resume ? mdm_run_compare_data(run) : MASKDM_OK;
}

static int make_trainer(struct mdm_run *run)
{
    MDM_TRY(run->finetune ? mdm_run_adapt(run) : MASKDM_OK);
    MDM_TRY(mdm_run_try_stages(run));
    if (run->stages == 1)
        mdm_model_drop(&run->model); /* the trainer has its own copy */
    return MASKDM_OK;
}

static int open_judge(struct mdm_run *run)
{
    return mdm_run_writes(run) ? mdm_run_open_judge(run) : MASKDM_OK;
}

static int load_checkpoint(struct mdm_run *run)
{
    return run->told.resume ? mdm_run_load_checkpoint(run) : MASKDM_OK;
}

static int read_images(struct mdm_run *run)
{
    mdm_model_drop(&run->model);
    MDM_TRY(mdm_run_read_images(run));
    return mdm_run_read_retained(run);
}

/* What each needs of those before it, and what there is behind it. */
static const struct {
    int (*work)(struct mdm_run *run);
    int needs, gives;
} steps[] = {
    {check_folders, 0, FOLDERS},
    {enter_folder, 0, PLACE},
    {open_device, 0, DEVICE},
    {mdm_run_recall_from_data, PLACE, 0},
    {mdm_run_count_classes, FOLDERS, 0},
    {load_model, DEVICE, LOADED},
    {compare_options, PLACE | LOADED, 0},
    {find_images, FOLDERS, FOUND},
    {mdm_run_find_retained, 0, 0},
    {make_model, DEVICE | LOADED, MODEL},
    {take_images, FOUND | MODEL, TAKEN},
    {compare_data, PLACE | TAKEN, 0},
    {mdm_run_match_labels, TAKEN, 0},
    {make_trainer, MODEL, TRAINER},
    {mdm_run_check_preview, TRAINER, 0},
    {open_judge, TAKEN | TRAINER, 0},
    {load_checkpoint, PLACE | TAKEN | TRAINER, 0},
    {read_images, TAKEN | TRAINER, 0},
};

int mdm_run_prepare(struct mdm_run *run)
{
    int there = 0;

    for (size_t i = 0; i < MDM_LENGTH(steps); i++) {
        const int before = run->problems;

        if ((steps[i].needs & there) != steps[i].needs)
            continue;
        MDM_TRY(mdm_run_pass(run, steps[i].work(run)));
        if (run->problems == before)
            there |= steps[i].gives;
    }
    if (run->problems)
        return mdm_fail(MASKDM_EINVAL, "this run would not begin: %d problem%s, said above", run->problems,
                        run->problems == 1 ? "" : "s");
    return MASKDM_OK;
}
