/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a composite of options to the parts of a run. Everything is checked here, before the run's folder is touched.
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

    if (status == MASKDM_ENOTFOUND && maskdm_optionset_bool(run->options, "resume"))
        status = load_own_model(run, which);
    MASKDM_TRY(status);
    MASKDM_TRY(follow_file(run, run->model->options));
    return follow_file(run, run->model->scheduler->options);
}

static int open_folder(maskdm_data **out, struct maskdm_run *run, int held_out)
{
    const char *path = maskdm_optionset_string(run->options, held_out ? "val" : "data");
    const struct maskdm_geometry *g = &run->model->geometry;
    struct maskdm_scan_except except[MASKDM_RUN_EXCEPTIONS];
    char size[64], channels[32];
    maskdm_options *o;
    int status;

    MASKDM_TRY(maskdm_run_exceptions(run, held_out, except));
    MASKDM_TRY(maskdm_optionset_extract(&o, run->options, &maskdm_folder_kind));
    maskdm_format(size, sizeof size, "%lld,%lld", (long long)g->height, (long long)g->width);
    maskdm_format(channels, sizeof channels, "%lld", (long long)g->channels);
    status = maskdm_optionset_set(o, "image_size", size);
    if (status == MASKDM_OK)
        status = maskdm_optionset_set(o, "channels", channels);
    if (status == MASKDM_OK)
        status = maskdm_dataset_folder(out, run->device, path, o, except, &run->voice);
    maskdm_optionset_release(&o);
    return status;
}

/* `val` is a share of the data to hold out, or a folder. */
static int open_data(struct maskdm_run *run, maskdm_data *data)
{
    const char *val = maskdm_optionset_string(run->options, "val");
    maskdm_data *all = data;
    double share;
    int status;

    if (data)
        maskdm_dataset_hold(data);
    else
        MASKDM_TRY(open_folder(&all, run, 0));
    if (!*val || maskdm_parse_double(val, &share) < 0) {
        run->data = all;
        return *val ? open_folder(&run->held_out, run, 1) : MASKDM_OK;
    }
    if (!(share > 0 && share < 1))
        status = maskdm_fail(MASKDM_EINVAL, "%s %s is neither a folder nor a share between 0 and 1",
                             maskdm_optionset_said(run->options, "val"), val);
    else
        status = maskdm_dataset_split(&run->data, &run->held_out, all, share,
                                      (uint64_t)maskdm_optionset_int(run->options, "seed"));
    maskdm_dataset_release(&all);
    return status;
}

static int make_trainer(struct maskdm_run *run, maskdm_mask *mask)
{
    const struct maskdm_geometry *g = &run->model->geometry;
    double rate;

    if (mask)
        maskdm_masking_hold(run->mask = mask);
    else
        MASKDM_TRY(maskdm_masking_create(&run->mask, run->options));
    MASKDM_TRY(maskdm_adamw_create(&run->optimizer, run->options, run->options));
    MASKDM_TRY(
        maskdm_training_create(&run->trainer, run->model, run->mask, run->optimizer, run->options, run->control));
    MASKDM_TRY(maskdm_training_check_data(run->trainer, run->data));
    rate = 1 - (double)run->trainer->visible / (double)g->patches;
    maskdm_log_line(maskdm_control_log(run->control), MASKDM_LOG_INFO,
                    "%lld images, %lld parameters, mask %s hides %.2f %% of the patches (%lld of %lld visible)",
                    (long long)run->data->count, (long long)run->model->layout.numel, maskdm_masking_name(run->mask),
                    100 * rate, (long long)run->trainer->visible, (long long)g->patches);
    return MASKDM_OK;
}

int maskdm_run_open(struct maskdm_run *run, const maskdm_options *options, const struct maskdm_option_kind *kind,
                    maskdm_data *data, maskdm_mask *mask, maskdm_control *control)
{
    run->finetune = kind == &maskdm_finetune_kind;
    maskdm_control_hold(control);
    run->control = control;
    maskdm_run_log_listen(run);
    MASKDM_TRY(read_options(run, options, kind, data, mask));
    MASKDM_TRY(open_device(run));
    MASKDM_TRY(run->finetune ? load_model(run) : fresh_model(run));
    MASKDM_TRY(open_data(run, data));
    MASKDM_TRY(make_trainer(run, mask));
    maskdm_weights_drop(&run->model); /* the trainer has its own copy */
    return MASKDM_OK;
}

void maskdm_run_close(struct maskdm_run *run)
{
    maskdm_appender_close(&run->log);
    maskdm_text_free(&run->notes);
    maskdm_folder_unlock(&run->lock);
    maskdm_training_drop(&run->trainer);
    maskdm_adamw_drop(&run->optimizer);
    maskdm_masking_drop(&run->mask);
    if (run->held_out)
        maskdm_dataset_release(&run->held_out);
    if (run->data)
        maskdm_dataset_release(&run->data);
    maskdm_weights_drop(&run->model);
    maskdm_device_drop(&run->device);
    maskdm_optionset_release(&run->options);
    maskdm_control_drop(&run->control);
}
