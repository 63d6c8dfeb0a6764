/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a run's images come from: the caller's set, or a folder; and what is held out of training, a share of them or
 * another folder. Files are found first, counted against everything else, and read last.
 */
#include "run/run.h"

#include "base/control.h"
#include "base/error.h"
#include "data/data.h"
#include "data/options.h"
#include "text/number.h"

int mdm_run_check_folders(const struct mdm_run *run, const maskdm_data *data)
{
    struct mdm_scan_except except[MDM_RUN_EXCEPTIONS];

    if (!data)
        MDM_TRY(mdm_run_exceptions(run, 0, except));
    return mdm_run_val_is_folder(run->told.val) ? mdm_run_exceptions(run, 1, except) : MASKDM_OK;
}

static int find(struct mdm_scan *found, struct mdm_run *run, int held_out)
{
    const char *path = held_out ? run->told.val : run->told.data;
    struct mdm_scan_except except[MDM_RUN_EXCEPTIONS];
    const int same = held_out ? mdm_run_val_is_data(run) : 0;

    MDM_TRY(same);
    if (same)
        mdm_log_line(&run->voice, MASKDM_LOG_WARN, "%s holds the images that are trained on: none is held out",
                     path);
    MDM_TRY(mdm_run_exceptions(run, held_out, except));
    MDM_TRY(mdm_scan_folder(found, path, except, &run->voice, run->control));
    mdm_data_tell_found(found, path, &run->voice);
    if (!run->told.resume)
        return MASKDM_OK;
    MDM_TRY(mdm_scan_mark_all(found, run->control));
    return mdm_run_recall(run, found, held_out ? "held_out.json" : "data.json");
}

/* `val` is a share of the data to hold out, or a folder. */
int mdm_run_find_images(struct mdm_run *run, maskdm_data *data)
{
    const char *val = run->told.val;
    int is_folder = mdm_run_val_is_folder(val);

    if (*val && !is_folder)
        (void)mdm_parse_double(val, &run->share);
    if (*val && !is_folder && !(run->share > 0 && run->share < 1))
        return mdm_fail(MASKDM_EINVAL, "%s %s is neither a folder nor a share between 0 and 1",
                        mdm_options_said(run->options, "val"), val);
    if (!data)
        MDM_TRY(find(&run->found, run, 0));
    return is_folder ? find(&run->found_held_out, run, 1) : MASKDM_OK;
}

static int take(maskdm_data **out, struct mdm_run *run, const char *path, struct mdm_scan *found)
{
    const struct mdm_geometry *g = &run->model->geometry;
    const int64_t size[] = {g->height, g->width};
    struct mdm_folder_options told;

    mdm_options_read(run->options, &mdm_images_options, &told);
    told.image_size = (struct mdm_int_list){MDM_LENGTH(size), size};
    told.channels = g->channels;
    return mdm_data_folder(out, run->device, path, found, &told, run->options);
}

int mdm_run_take_images(struct mdm_run *run, maskdm_data *data)
{
    run->given = data != NULL;
    if (data)
        mdm_data_hold(run->all = data);
    if (data && run->told.resume)
        MDM_TRY(mdm_data_mark(data, run->control));
    if (!data)
        MDM_TRY(take(&run->all, run, run->told.data, &run->found));
    mdm_data_hold(run->data = run->all);
    return run->found_held_out.count ? take(&run->held_out, run, run->told.val, &run->found_held_out) : MASKDM_OK;
}

int mdm_run_check_images(const struct mdm_run *run)
{
    int64_t held = 0;

    MDM_TRY(mdm_trainer_check_data(run->trainer, run->data));
    if (run->share > 0)
        MDM_TRY(mdm_data_split_count(&held, run->data->count, run->share));
    return mdm_trainer_check_count(run->trainer, run->data->count - held);
}

int mdm_run_read_images(struct mdm_run *run)
{
    MDM_TRY(mdm_data_mark(run->all, run->control));          /* a resumed run has done so to compare them */
    if (run->held_out)
        MDM_TRY(mdm_data_mark(run->held_out, run->control));
    if (!run->given)
        MDM_TRY(mdm_data_read(run->all, run->list == MDM_RUN_SAME, &run->voice, run->control));
    if (run->held_out)
        MDM_TRY(mdm_data_read(run->held_out, run->held_out_list == MDM_RUN_SAME, &run->voice,
                              run->control));
    MDM_TRY(mdm_run_compare_state(run));
    MDM_TRY(mdm_run_check_images(run));       /* again, since broken images are no longer counted */
    if (!(run->share > 0))
        return MASKDM_OK;
    mdm_data_release(&run->data);
    return mdm_data_split(&run->data, &run->held_out, run->all, run->share, run->seed);
}
