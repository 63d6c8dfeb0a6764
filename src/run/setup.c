/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a composite of options to the parts of a run. What costs nothing comes first: no image is read before all that
 * can be checked without it has been.
 */
#include "run/run.h"

#include "backend/options.h"
#include "data/data.h"
#include "data/options.h"
#include "data/scan.h"
#include "diffusion/options.h"
#include "diffusion/scheduler.h"
#include "run/options.h"
#include "util/alloc.h"
#include "util/error.h"

#include <string.h>

static const char given[] = "(given by the caller)";

/* Handles that stand in for options leave a word in their place, so that options.json is complete. */
static int read_options(struct maskdm_run *run, const maskdm_options *options, const struct maskdm_option_kind *kind,
                        const maskdm_data *data, const maskdm_mask *mask)
{
    maskdm_options *o;

    if (!options || maskdm_optionset_kind(options) != kind)
        return maskdm_fail(MASKDM_EINVAL, "options of kind \"%s\" are needed, not %s", kind->name,
                           options ? maskdm_optionset_kind(options)->name : "NULL");
    MASKDM_TRY(maskdm_optionset_clone(&run->options, options));
    o = run->options;
    if (data)
        MASKDM_TRY(maskdm_optionset_set(o, "data", given));
    if (mask)
        MASKDM_TRY(maskdm_optionset_set(o, "mask", "custom"));
    MASKDM_TRY(maskdm_optionset_check(o));
    run->out = maskdm_optionset_string(o, "out");
    run->resume = maskdm_optionset_bool(o, "resume");
    run->steps = maskdm_optionset_int(o, "steps");
    run->save_every = maskdm_optionset_int(o, "save_every");
    run->save_seconds = 60 * maskdm_optionset_float(o, "save_minutes");
    run->keep = maskdm_optionset_int(o, "keep");
    run->log_every = maskdm_optionset_int(o, "log_every");
    run->sample_every = maskdm_optionset_int(o, "sample_every");
    run->val_every = maskdm_optionset_int(o, "val_every");
    run->val_count = maskdm_optionset_int(o, "val_count");
    return MASKDM_OK;
}

static int open_device(struct maskdm_run *run)
{
    maskdm_options *o;
    int status;

    MASKDM_TRY(maskdm_optionset_extract(&o, run->options, &maskdm_device_kind));
    status = maskdm_backend_open(&run->device, maskdm_optionset_string(run->options, "device"), o, NULL, 0, NULL);
    maskdm_optionset_release(&o);
    return status;
}

static int fresh_model(struct maskdm_run *run)
{
    maskdm_scheduler *scheduler;
    int status;

    MASKDM_TRY(maskdm_diffusion_create(&scheduler, run->options));
    status = maskdm_weights_create(&run->model, run->device, "uvit", run->options, scheduler,
                                   (uint64_t)maskdm_optionset_int(run->options, "seed"));
    maskdm_diffusion_drop(&scheduler);
    return status;
}

/* What the caller gave must agree with the file; what it left open becomes what the file says. */
static int follow_file(struct maskdm_run *run, const maskdm_options *file)
{
    const struct maskdm_option_table *table = maskdm_optionset_kind(file)->table[0];
    const char *init = maskdm_optionset_string(run->options, "init");

    for (int i = 0; i < table->count; i++) {
        const char *name = table->option[i].name;
        const char *theirs = maskdm_optionset_string(file, name), *ours = maskdm_optionset_string(run->options, name);

        if (strcmp(theirs, ours) == 0)
            continue;
        if (maskdm_optionset_is_set(run->options, name))
            return maskdm_fail(MASKDM_EINVAL, "%s is %s, but %s was made with %s",
                               maskdm_optionset_said(run->options, name), ours, init, theirs);
        if (*theirs)
            MASKDM_TRY(maskdm_optionset_set(run->options, name, theirs));
    }
    return MASKDM_OK;
}

/* A run that is resumed has its weights in its checkpoint, so that the file it began from may be gone; network and
 * schedule are then those of the model in its folder. */
static int load_own_model(struct maskdm_run *run, enum maskdm_weights which)
{
    struct maskdm_failure why;
    char *path;
    int status;

    maskdm_failure_take(&why, MASKDM_ENOTFOUND);
    path = maskdm_run_path(run, "model.safetensors");
    if (!path)
        return MASKDM_ENOMEM;
    status = maskdm_weights_load_one(&run->model, run->device, path, which);
    maskdm_free(path);
    return status == MASKDM_ENOTFOUND ? maskdm_failure_record(&why) : status;
}

static int load_model(struct maskdm_run *run)
{
    const char *init = maskdm_optionset_string(run->options, "init");
    const int ema = strcmp(maskdm_optionset_string(run->options, "init_weights"), "ema") == 0;
    const enum maskdm_weights which = ema ? MASKDM_WEIGHTS_EMA : MASKDM_WEIGHTS_ONLINE;
    int status = maskdm_weights_load_one(&run->model, run->device, init, which);

    if (status == MASKDM_ENOTFOUND && run->resume)
        status = load_own_model(run, which);
    MASKDM_TRY(status);
    MASKDM_TRY(follow_file(run, run->model->options));
    return follow_file(run, run->model->scheduler->options);
}

static int make_trainer(struct maskdm_run *run, maskdm_mask *mask)
{
    if (mask)
        maskdm_masking_hold(run->mask = mask);
    else
        MASKDM_TRY(maskdm_masking_create(&run->mask, run->options));
    MASKDM_TRY(maskdm_adamw_create(&run->optimizer, run->options, run->options));
    return maskdm_training_create(&run->trainer, run->model, run->mask, run->optimizer, run->options, run->control);
}

static void tell_size(const struct maskdm_run *run)
{
    const struct maskdm_geometry *g = &run->trainer->model->geometry;
    double rate = 1 - (double)run->trainer->visible / (double)g->patches;

    maskdm_log_line(maskdm_control_log(run->control), MASKDM_LOG_INFO,
                    "%lld image%s, %lld parameters, mask %s hides %.2f %% of the patches (%lld of %lld visible)",
                    (long long)run->data->count, run->data->count == 1 ? "" : "s",
                    (long long)run->trainer->model->layout.numel,
                    maskdm_masking_name(run->mask), 100 * rate, (long long)run->trainer->visible,
                    (long long)g->patches);
}

/* What can be refused is refused here, in the order of what it costs to find out. */
static int prepare(struct maskdm_run *run, maskdm_data *data, maskdm_mask *mask)
{
    MASKDM_TRY(maskdm_run_check_folders(run, data));
    MASKDM_TRY(maskdm_run_enter_folder(run));
    MASKDM_TRY(open_device(run));
    if (run->finetune)
        MASKDM_TRY(load_model(run)); /* which completes the options */
    if (run->resume)
        MASKDM_TRY(maskdm_run_compare_options(run));
    MASKDM_TRY(maskdm_run_find_images(run, data));
    if (!run->finetune)
        MASKDM_TRY(fresh_model(run));
    MASKDM_TRY(maskdm_run_take_images(run, data));
    if (run->resume)
        MASKDM_TRY(maskdm_run_compare_data(run));
    MASKDM_TRY(maskdm_run_match_labels(run));
    MASKDM_TRY(make_trainer(run, mask));
    maskdm_weights_drop(&run->model); /* the trainer has its own copy */
    MASKDM_TRY(maskdm_run_check_images(run));
    MASKDM_TRY(maskdm_run_check_preview(run));
    return run->resume ? maskdm_run_load_checkpoint(run) : MASKDM_OK;
}

int maskdm_run_open(struct maskdm_run *run, const maskdm_options *options, const struct maskdm_option_kind *kind,
                    maskdm_data *data, maskdm_mask *mask, maskdm_control *control)
{
    run->finetune = kind == &maskdm_finetune_kind;
    maskdm_control_hold(control);
    run->control = control;
    maskdm_run_log_listen(run);
    MASKDM_TRY(read_options(run, options, kind, data, mask));
    MASKDM_TRY(prepare(run, data, mask));
    MASKDM_TRY(maskdm_run_read_images(run));
    tell_size(run);
    return maskdm_run_begin(run);
}

void maskdm_run_close(struct maskdm_run *run)
{
    maskdm_appender_close(&run->log);
    maskdm_run_leave_folder(run);
    maskdm_text_free(&run->notes);
    maskdm_training_drop(&run->trainer);
    maskdm_adamw_drop(&run->optimizer);
    maskdm_masking_drop(&run->mask);
    if (run->held_out)
        maskdm_dataset_release(&run->held_out);
    if (run->data)
        maskdm_dataset_release(&run->data);
    if (run->all)
        maskdm_dataset_release(&run->all);
    maskdm_scan_free(&run->found);
    maskdm_scan_free(&run->found_held_out);
    maskdm_weights_drop(&run->model);
    maskdm_device_drop(&run->device);
    maskdm_optionset_release(&run->options);
    maskdm_control_drop(&run->control);
}
