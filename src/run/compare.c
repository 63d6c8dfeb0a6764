/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a run that is resumed must share with the run that was begun: its options, and its data. Both are recorded in
 * the folder: options.json, and the lists data.json and held_out.json.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/error.h"
#include "run/record.h"
#include "text/text.h"

#include <string.h>

/* ---- options ---- */

/* Where a mask ends and a rate falls was counted from the steps that the run was begun for, and stays there. */
int mdm_run_keep_turns(struct mdm_run *run)
{
    static const char *const turn[][2] = {
        {"mask_steps", "mask"}, {"lr_steps", "lr_schedule"}, {"decay_steps", "lr_schedule"}};
    maskdm_options *o = run->options, *old = NULL;
    int status = MASKDM_OK;

    if (strcmp(mdm_options_text(o, "resume"), "true") != 0 || mdm_options_stages(o))
        return MASKDM_OK;
    MDM_TRY(mdm_record_read(&old, mdm_options_text(o, "out"), mdm_options_kind(o)));
    for (size_t i = 0; old && i < MDM_LENGTH(turn) && status == MASKDM_OK; i++) {
        if (mdm_options_is_set(old, turn[i][0]) && !mdm_options_is_set(o, turn[i][0]) &&
            !strcmp(mdm_options_text(o, turn[i][1]), mdm_options_text(old, turn[i][1])))
            status = mdm_options_set(o, turn[i][0], mdm_options_text(old, turn[i][0]));
    }
    mdm_options_release(&old);
    return status;
}

/* One that the run was begun with. How long it is may change where none came behind it. */
static int compare_stage(const struct mdm_run *run, const maskdm_options *old, int stage, int last)
{
    maskdm_options *theirs, *ours = NULL;
    const char *steps = NULL;
    int status = mdm_options_stage(&theirs, old, stage);

    if (status == MASKDM_OK)
        status = mdm_options_stage(&ours, run->options, stage);
    if (status == MASKDM_OK)
        status = mdm_run_settle(theirs);
    if (status == MASKDM_OK)
        status = mdm_run_settle(ours);
    if (status == MASKDM_OK)
        status = mdm_record_compare(run->told.out, theirs, ours);
    if (status == MASKDM_OK)
        steps = mdm_options_text(theirs, "steps");
    if (steps && !last && strcmp(steps, mdm_options_text(ours, "steps")) != 0)
        status = mdm_fail(MASKDM_EINVAL, "%s was started with %s %s, behind which others came, and not %s",
                          run->told.out, mdm_options_said(ours, "steps"), steps, mdm_options_text(ours, "steps"));
    if (status == MASKDM_EINVAL && run->stages > 1)
        status = mdm_fail_prefix(status, "stage %d", stage + 1);
    mdm_options_release(&theirs);
    mdm_options_release(&ours);
    return status;
}

static void tell_device(const struct mdm_run *run, const maskdm_options *old)
{
    const char *was = mdm_options_text(old, "device");

    if (was && strcmp(was, run->told.device) != 0)
        mdm_log_line(&run->voice, MASKDM_LOG_INFO, "%s was started with %s %s and goes on with %s", run->told.out,
                     mdm_options_said(run->options, "device"), was, run->told.device);
}

int mdm_run_compare_options(struct mdm_run *run)
{
    maskdm_options *old;
    int status = MASKDM_OK, stages;

    MDM_TRY(mdm_record_read(&old, run->told.out, mdm_options_kind(run->options)));
    if (!old)
        return MASKDM_OK;
    stages = mdm_options_stages(old) ? mdm_options_stages(old) : 1;
    if (stages > run->stages)
        status = mdm_fail(MASKDM_EINVAL, "%s was started with %d stages and cannot be resumed with %d", run->told.out,
                          stages, run->stages);
    if (status == MASKDM_OK)
        status = mdm_run_override_old(run, old);
    for (int k = 0; k < stages && status == MASKDM_OK; k++)
        status = compare_stage(run, old, k, k == stages - 1);
    if (status == MASKDM_OK)
        tell_device(run, old);
    mdm_options_release(&old);
    return status;
}

/* ---- data ---- */

static int settle(struct mdm_run *run, const char *what, const char *difference)
{
    const char *accept = mdm_options_said(run->options, "accept_changed_data");

    if (!run->told.accept_changed_data)
        return mdm_fail(MASKDM_EINVAL, "the %s are not those that %s was started with: %s; %s goes on with them",
                        what, run->told.out, difference, accept);
    mdm_log_line(&run->voice, MASKDM_LOG_WARN,
                 "the %s are not those that %s was started with: %s; going on, as %s says", what, run->told.out,
                 difference, accept);
    return MASKDM_OK;
}

/* Hold data against the list of them in the folder. */
static int compare_data(enum mdm_run_list *found, struct mdm_run *run, maskdm_data *data, const char *what,
                        const char *name)
{
    char *path = mdm_path_join(run->told.out, name);
    struct mdm_text difference = {0};
    int is_there, status;

    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_manifest_compare(&is_there, &difference, path, data, run->control);
    if (status == MASKDM_OK && is_there)
        *found = difference.length ? MDM_RUN_OTHER : MDM_RUN_SAME;
    if (status == MASKDM_OK && difference.length)
        status = settle(run, what, difference.data);
    mdm_text_free(&difference);
    mdm_free(path);
    return status;
}

int mdm_run_recall(const struct mdm_run *run, struct mdm_scan *found, const char *list)
{
    char *path = mdm_path_join(run->told.out, list), *old;
    size_t bytes;
    int status;

    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_manifest_load(&old, &bytes, path);
    if (status == MASKDM_OK && old)
        status = mdm_manifest_knows(found, old, bytes);
    mdm_free(old);
    mdm_free(path);
    return status < 0 ? status : MASKDM_OK; /* where the files are others, the comparison will say which */
}

int mdm_run_compare_data(struct mdm_run *run)
{
    MDM_TRY(compare_data(&run->list, run, run->all, "data", "data.json"));
    if (run->held_out && *run->told.val)
        MDM_TRY(compare_data(&run->held_out_list, run, run->held_out, "held-out images", "held_out.json"));
    if (run->retained)
        MDM_TRY(compare_data(&run->retained_list, run, run->retained, "retained images", MDM_RUN_RETAINED));
    return MASKDM_OK;
}

/* The images, and which of them are trained on. */
void mdm_run_tell_identity(const struct mdm_run *run, char out[MDM_IDENTITY])
{
    size_t n;

    mdm_data_identity(run->all, out);
    n = strlen(out);
    if (run->told.data_fraction < 1)
        mdm_format(out + n, MDM_IDENTITY - n, ", %.24s of them by seed %.24s",
                   mdm_options_text(run->now, "data_fraction"), mdm_options_text(run->now, "data_seed"));
}

int mdm_run_compare_state(struct mdm_run *run)
{
    char identity[MDM_IDENTITY], *theirs = run->trainer->data;
    struct mdm_text difference = {0};
    int status = MASKDM_OK;

    mdm_run_tell_identity(run, identity);
    if (!run->list && *theirs && strcmp(theirs, identity) != 0) {
        mdm_text_addf(&difference, "there were %s and are %s", theirs, identity);
        status = mdm_text_ok(&difference);
        if (status == MASKDM_OK)
            status = settle(run, "data", difference.data);
        mdm_text_free(&difference);
    }
    if (!run->list && !*theirs && run->saved >= 0)
        mdm_log_line(&run->voice, MASKDM_LOG_INFO,
                     "%s tells nothing of the data that it was started with; these are taken as they are",
                     run->told.out);
    mdm_format(run->trainer->data, sizeof run->trainer->data, "%s", identity);
    return status;
}

/* ---- the record ---- */

static int write_list(const struct mdm_run *run, const maskdm_data *data, const char *name)
{
    struct mdm_text text = {0};
    int status = mdm_manifest_write(data, &text);

    if (status == MASKDM_OK)
        return mdm_record_write_text(run->told.out, name, &text);
    mdm_text_free(&text);
    return status;
}

int mdm_run_record(struct mdm_run *run)
{
    /* Said once, of this start; a later one has to say them anew. */
    MDM_TRY(mdm_options_set(run->options, "accept_changed_data", "false"));
    MDM_TRY(mdm_options_set(run->options, "resume", "false"));
    if (run->list != MDM_RUN_SAME)
        MDM_TRY(write_list(run, run->all, "data.json"));
    if (run->held_out && *run->told.val && run->held_out_list != MDM_RUN_SAME)
        MDM_TRY(write_list(run, run->held_out, "held_out.json"));
    if (run->retained && run->retained_list != MDM_RUN_SAME)
        MDM_TRY(write_list(run, run->retained, MDM_RUN_RETAINED));
    return mdm_record_write(run->told.out, run->options);
}
