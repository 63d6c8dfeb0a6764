/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a run's images come from: the caller's set, or a folder; and what is held out of training, a share of them or
 * another folder. Files are found first, counted against everything else, and read last.
 */
#include "run/run.h"

#include "base/control.h"
#include "base/error.h"
#include "data/data.h"
#include "data/find.h"
#include "data/options.h"
#include "run/label_names.h"
#include "text/number.h"

#include <string.h>

/* A number that is no folder was meant for the other option, as it is elsewhere. */
static int check_val(const struct mdm_run *run)
{
    const char *folder = mdm_options_said(run->options, "val"), *share = mdm_options_said(run->options, "val_share");
    const char *val = run->told.val;
    enum mdm_file_kind kind = MDM_FILE_NONE;
    double number;

    if (run->told.val_share == 1)
        return mdm_fail(MASKDM_EINVAL, "%s 1 leaves nothing to train on", share);
    if (*val && run->told.val_share > 0)
        return mdm_fail(MASKDM_EINVAL, "%s %s and %s %g: held out is a folder or a share of the data", folder, val,
                        share, run->told.val_share);
    if (mdm_parse_double(val, &number) < 0)
        return MASKDM_OK;
    MDM_TRY(mdm_file_kind_of(&kind, val));
    if (kind == MDM_FILE_FOLDER)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %s is no folder; %s holds out a share of the data", folder, val, share);
}

int mdm_run_check_folders(const struct mdm_run *run)
{
    struct mdm_scan_except except[MDM_RUN_EXCEPTIONS];

    if (!run->given)
        MDM_TRY(mdm_run_exceptions(run, 0, except));
    MDM_TRY(check_val(run));
    if (run->told.data_fraction == 0)
        return mdm_fail(MASKDM_EINVAL, "%s 0 leaves nothing to train on",
                        mdm_options_said(run->now, "data_fraction"));
    return *run->told.val ? mdm_run_exceptions(run, 1, except) : MASKDM_OK;
}

static int has_classes(const struct mdm_run *run)
{
    const char *classes = mdm_options_text(run->options, "classes");

    return classes && strcmp(classes, "0") != 0;
}

static int find(struct mdm_scan *found, struct mdm_run *run, int held_out)
{
    const char *path = held_out ? run->told.val : run->told.data;
    struct mdm_scan_except except[MDM_RUN_EXCEPTIONS];
    struct mdm_folder_options told;
    const int same = held_out ? mdm_run_val_is_data(run) : 0;
    const struct mdm_labels labels = {run->found.label, run->found.labels};

    MDM_TRY(same);
    if (same)
        mdm_log_line(&run->voice, MASKDM_LOG_WARN, "%s holds the images that are trained on: none is held out", path);
    MDM_TRY(mdm_run_exceptions(run, held_out, except));
    mdm_options_read(run->options, &mdm_images_options, &told);
    MDM_TRY(mdm_data_find(found, path, except, &told, run->options, &run->voice, run->control));
    mdm_data_tell_found(found, path, &run->voice);
    if (held_out && has_classes(run))
        MDM_TRY(mdm_label_names_match(found, &labels, "the held-out images", "the data"));
    if (!run->told.resume)
        return MASKDM_OK;
    MDM_TRY(mdm_scan_mark_all(found, run->control));
    return mdm_run_recall(run, found, held_out ? "held_out.json" : "data.json");
}

int mdm_run_find_images(struct mdm_run *run)
{
    if (run->found_all)
        return MASKDM_OK;
    run->found_all = 1;
    if (!run->given)
        MDM_TRY(find(&run->found, run, 0));
    return *run->told.val ? find(&run->found_held_out, run, 1) : MASKDM_OK;
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

int mdm_run_take_images(struct mdm_run *run)
{
    if (run->given)
        mdm_data_hold(run->all = run->given);
    if (run->given && run->told.resume)
        MDM_TRY(mdm_data_mark(run->given, run->control));
    if (!run->given)
        MDM_TRY(take(&run->all, run, run->told.data, &run->found));
    mdm_data_hold(run->data = run->all);
    return run->found_held_out.count ? take(&run->held_out, run, run->told.val, &run->found_held_out) : MASKDM_OK;
}

enum { FEW_IMAGES = 200 };

/* How many of the images are held out. Where nobody said so, none of few: there each counts, and what some of them
 * say is little. */
static int count_held_out(int64_t *held, const struct mdm_run *run, int64_t count)
{
    *held = 0;
    if (run->told.val_share > 0)
        return mdm_data_split_count(held, count, run->told.val_share);
    if (count < FEW_IMAGES || *run->told.val || *mdm_options_text(run->options, "val_share"))
        return MASKDM_OK;
    MDM_TRY(mdm_data_split_count(held, count, 0.05));
    if (*held > run->told.val_count)
        *held = run->told.val_count;
    return MASKDM_OK;
}

int mdm_run_check_images(const struct mdm_run *run)
{
    int64_t held, taken;

    if (!run->data) /* of a dry run whose images cannot be found */
        return MASKDM_OK;
    MDM_TRY(mdm_trainer_check_data(run->trainer, run->data));
    MDM_TRY(count_held_out(&held, run, run->data->count));
    MDM_TRY(mdm_data_take_count(&taken, run->data->count - held, run->told.data_fraction));
    return mdm_trainer_check_count(run->trainer, taken);
}

int mdm_run_pick_images(struct mdm_run *run)
{
    if (run->data)
        mdm_data_release(&run->data);
    if (run->told.data_fraction == 1) {
        mdm_data_hold(run->data = run->whole);
        return MASKDM_OK;
    }
    MDM_TRY(mdm_data_take(&run->data, run->whole, run->told.data_fraction, (uint64_t)run->told.data_seed));
    mdm_log_line(&run->voice, MASKDM_LOG_INFO, "%s %s by %s %s: %lld of %lld images are trained on",
                 mdm_options_said(run->now, "data_fraction"), mdm_options_text(run->now, "data_fraction"),
                 mdm_options_said(run->now, "data_seed"), mdm_options_text(run->now, "data_seed"),
                 (long long)run->data->count, (long long)run->whole->count);
    return MASKDM_OK;
}

static int hold_out(struct mdm_run *run)
{
    int64_t held;

    MDM_TRY(count_held_out(&held, run, run->all->count));
    if (!held) {
        mdm_data_hold(run->whole = run->all);
        return MASKDM_OK;
    }
    mdm_log_line(&run->voice, MASKDM_LOG_INFO, "%lld of %lld images are held out (%s)", (long long)held,
                 (long long)run->all->count, mdm_options_said(run->options, "val_share"));
    return mdm_data_split(&run->whole, &run->held_out, run->all, held, run->seed);
}

int mdm_run_read_images(struct mdm_run *run)
{
    MDM_TRY(mdm_data_mark(run->all, run->control)); /* a resumed run has done so to compare them */
    if (run->held_out)
        MDM_TRY(mdm_data_mark(run->held_out, run->control));
    if (!run->given)
        MDM_TRY(mdm_data_read(run->all, run->list == MDM_RUN_SAME, &run->voice, run->control));
    if (!run->given)
        mdm_data_tell_forms(run->all, &run->voice);
    if (run->held_out)
        MDM_TRY(mdm_data_read(run->held_out, run->held_out_list == MDM_RUN_SAME, &run->voice, run->control));
    MDM_TRY(mdm_run_compare_state(run));
    MDM_TRY(mdm_run_check_images(run));       /* again, since broken images are no longer counted */
    MDM_TRY(hold_out(run));
    return mdm_run_pick_images(run);
}
