/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a run's images come from: the caller's set, or a folder; and what is held out of training, a share of them or
 * another folder. Files are found first, counted against everything else, and read last.
 */
#include "run/run.h"

#include "data/data.h"
#include "data/options.h"
#include "util/control.h"
#include "util/error.h"

int maskdm_run_check_folders(const struct maskdm_run *run, const maskdm_data *data)
{
    struct maskdm_scan_except except[MASKDM_RUN_EXCEPTIONS];

    if (!data)
        MASKDM_TRY(maskdm_run_exceptions(run, 0, except));
    return maskdm_run_val_is_folder(run->options) ? maskdm_run_exceptions(run, 1, except) : MASKDM_OK;
}

static int find(struct maskdm_scan *found, struct maskdm_run *run, int held_out)
{
    const char *path = maskdm_optionset_string(run->options, held_out ? "val" : "data");
    struct maskdm_scan_except except[MASKDM_RUN_EXCEPTIONS];
    const int same = held_out ? maskdm_run_val_is_data(run) : 0;

    MASKDM_TRY(same);
    if (same)
        maskdm_log_line(&run->voice, MASKDM_LOG_WARN, "%s holds the images that are trained on: none is held out",
                        path);
    MASKDM_TRY(maskdm_run_exceptions(run, held_out, except));
    MASKDM_TRY(maskdm_scan_folder(found, path, except, &run->voice, run->control));
    maskdm_dataset_tell_found(found, path, &run->voice);
    if (!run->resume)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_scan_mark_all(found, run->control));
    return maskdm_run_recall(run, found, held_out ? "held_out.json" : "data.json");
}

/* `val` is a share of the data to hold out, or a folder. */
int maskdm_run_find_images(struct maskdm_run *run, maskdm_data *data)
{
    const char *val = maskdm_optionset_string(run->options, "val");
    int is_folder = maskdm_run_val_is_folder(run->options);

    if (*val && !is_folder)
        (void)maskdm_parse_double(val, &run->share);
    if (*val && !is_folder && !(run->share > 0 && run->share < 1))
        return maskdm_fail(MASKDM_EINVAL, "%s %s is neither a folder nor a share between 0 and 1",
                           maskdm_optionset_said(run->options, "val"), val);
    if (!data)
        MASKDM_TRY(find(&run->found, run, 0));
    return is_folder ? find(&run->found_held_out, run, 1) : MASKDM_OK;
}

static int take(maskdm_data **out, struct maskdm_run *run, const char *path, struct maskdm_scan *found)
{
    const struct maskdm_geometry *g = &run->model->geometry;
    char size[64], channels[32];
    maskdm_options *o;
    int status;

    MASKDM_TRY(maskdm_optionset_extract(&o, run->options, &maskdm_folder_kind));
    maskdm_format(size, sizeof size, "%lld,%lld", (long long)g->height, (long long)g->width);
    maskdm_format(channels, sizeof channels, "%lld", (long long)g->channels);
    status = maskdm_optionset_set(o, "image_size", size);
    if (status == MASKDM_OK)
        status = maskdm_optionset_set(o, "channels", channels);
    if (status == MASKDM_OK)
        status = maskdm_dataset_folder(out, run->device, path, found, o);
    maskdm_optionset_release(&o);
    return status;
}

int maskdm_run_take_images(struct maskdm_run *run, maskdm_data *data)
{
    run->given = data != NULL;
    if (data)
        maskdm_dataset_hold(run->all = data);
    if (data && run->resume)
        MASKDM_TRY(maskdm_dataset_mark(data, run->control));
    if (!data)
        MASKDM_TRY(take(&run->all, run, maskdm_optionset_string(run->options, "data"), &run->found));
    maskdm_dataset_hold(run->data = run->all);
    return run->found_held_out.count ? take(&run->held_out, run, maskdm_optionset_string(run->options, "val"),
                                            &run->found_held_out)
                                     : MASKDM_OK;
}

int maskdm_run_check_images(const struct maskdm_run *run)
{
    int64_t held = 0;

    MASKDM_TRY(maskdm_training_check_data(run->trainer, run->data));
    if (run->share > 0)
        MASKDM_TRY(maskdm_dataset_split_count(&held, run->data->count, run->share));
    return maskdm_training_check_count(run->trainer, run->data->count - held);
}

int maskdm_run_read_images(struct maskdm_run *run)
{
    MASKDM_TRY(maskdm_dataset_mark(run->all, run->control)); /* a resumed run has done so to compare them */
    if (run->held_out)
        MASKDM_TRY(maskdm_dataset_mark(run->held_out, run->control));
    if (!run->given)
        MASKDM_TRY(maskdm_dataset_read(run->all, run->list == MASKDM_RUN_SAME, &run->voice, run->control));
    if (run->held_out)
        MASKDM_TRY(maskdm_dataset_read(run->held_out, run->held_out_list == MASKDM_RUN_SAME, &run->voice,
                                       run->control));
    MASKDM_TRY(maskdm_run_compare_state(run));
    MASKDM_TRY(maskdm_run_check_images(run)); /* again, since broken images are no longer counted */
    if (!(run->share > 0))
        return MASKDM_OK;
    maskdm_dataset_release(&run->data);
    return maskdm_dataset_split(&run->data, &run->held_out, run->all, run->share,
                                (uint64_t)maskdm_optionset_int(run->options, "seed"));
}
