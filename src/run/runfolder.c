/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The run's folder: entered, resumed from, saved into, pruned. There is no "latest" pointer that could lie: resuming
 * looks at the names and tries the newest checkpoint first.
 */
#include "base/clock.h"
#include "run/run.h"

#include "base/alloc.h"
#include "base/error.h"
#include "run/ranks.h"
#include "run/record.h"

#include <stdlib.h>

struct listing {
    struct mdm_checkpoints saved; /* newest first once sorted */
    int64_t entries;              /* of any kind */
};

static int note(void *user, const char *name, enum mdm_file_kind kind)
{
    struct listing *l = user;
    int64_t step = kind == MDM_FILE_REGULAR ? mdm_checkpoint_step(name) : -1;

    l->entries++;
    return step < 0 ? MASKDM_OK : mdm_checkpoint_add(&l->saved, step);
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x < y) - (x > y);
}

static int list(const struct mdm_run *run, struct listing *l)
{
    MDM_TRY(mdm_folder_list(run->told.out, note, l));
    if (l->saved.count)
        qsort(l->saved.step, (size_t)l->saved.count, sizeof *l->saved.step, newest_first);
    return MASKDM_OK;
}

static char *checkpoint_path(const struct mdm_run *run, int64_t step)
{
    char name[64];

    mdm_format(name, sizeof name, "checkpoint-%lld.safetensors", (long long)step);
    return mdm_path_join(run->told.out, name);
}

/* ---- resuming ---- */

/* Behind a start that saved nothing. Where there is a model its checkpoints were taken away, and a new start would
 * put an untrained one in its place. */
static int begin_anew(const struct mdm_run *run)
{
    enum mdm_file_kind kind;
    char *path = mdm_path_join(run->told.out, "model.safetensors");
    int status = path ? mdm_file_kind_of(&kind, path) : MASKDM_ENOMEM;

    if (status == MASKDM_OK && kind != MDM_FILE_NONE)
        status = mdm_fail(MASKDM_EINVAL,
                          "there is no checkpoint in %s to resume from, and starting from the beginning would "
                          "replace %s; it can be fine-tuned, or moved away",
                          run->told.out, path);
    mdm_free(path);
    if (status == MASKDM_OK)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                     "no checkpoint in %s: starting from the beginning", run->told.out);
    return status;
}

/* The newest checkpoint that loads. A broken one is named and passed over; one of another run is an error. */
static int load_newest(struct mdm_run *run, const struct mdm_checkpoints *l)
{
    const struct mdm_log *log = mdm_control_log(run->control);
    int status = MASKDM_OK;

    for (int64_t i = 0; i < l->count; i++) {
        char *path = checkpoint_path(run, l->step[i]);

        if (!path)
            return MASKDM_ENOMEM;
        status = mdm_run_go_to_stage(run, mdm_run_stage_of(run, l->step[i]));
        if (status == MASKDM_OK)
            status = mdm_trainer_load(run->trainer, path, *run->may_differ ? run->may_differ : NULL);
        if (status == MASKDM_OK) {
            run->saved = mdm_run_step(run);
            mdm_log_line(log, MASKDM_LOG_INFO, "resuming from %s", path);
        }
        mdm_free(path);
        if (status != MASKDM_EFORMAT && status != MASKDM_EIO)
            return status;
        mdm_log_line(log, MASKDM_LOG_WARN, "passing over a broken checkpoint: %s", mdm_error_text());
    }
    if (l->count)
        return mdm_fail_prefix(status, "none of the %lld checkpoints in %s can be read, the oldest",
                               (long long)l->count, run->told.out);
    MDM_TRY(mdm_run_go_to_stage(run, 0));
    return begin_anew(run);
}

/* Whether a file can be made in it. */
static int try_writing(const struct mdm_run *run)
{
    char *path = mdm_path_join(run->told.out, "options.json");
    struct mdm_writer *w = NULL;
    int status = path ? mdm_writer_open(&w, path) : MASKDM_ENOMEM;

    mdm_writer_abandon(&w);
    mdm_free(path);
    return status;
}

int mdm_run_enter_folder(struct mdm_run *run)
{
    struct listing l = {0};
    enum mdm_file_kind kind;
    int status;

    MDM_TRY(mdm_file_kind_of(&kind, run->told.out));
    if (kind != MDM_FILE_NONE && kind != MDM_FILE_FOLDER)
        return mdm_fail(MASKDM_EINVAL, "%s is not a folder", run->told.out);
    run->present = mdm_folder_present(run->told.out);
    MDM_TRY(mdm_folder_make(run->told.out));
    MDM_TRY(mdm_folder_lock(&run->lock, run->told.out, "another run"));
    status = list(run, &l);
    if (status == MASKDM_OK && l.entries && !run->told.resume)
        status = mdm_fail(MASKDM_EINVAL, "%s is not empty; %s goes on with the run in it", run->told.out,
                          mdm_options_said(run->options, "resume"));
    mdm_free(l.saved.step);
    return status == MASKDM_OK ? try_writing(run) : status;
}

int mdm_run_load_checkpoint(struct mdm_run *run)
{
    struct listing l = {0};
    int status = list(run, &l);

    if (status == MASKDM_OK)
        status = load_newest(run, &l.saved);
    mdm_free(l.saved.step);
    return status;
}

/* The record says what is overridden until the state was saved under it: a run that is killed in between goes on. */
static int settle_override(struct mdm_run *run)
{
    char *path;
    int status;

    if (!*run->may_differ)
        return MASKDM_OK;
    path = checkpoint_path(run, mdm_run_step(run));
    status = !path ? MASKDM_ENOMEM : run->saved >= 0 ? mdm_trainer_save(run->trainer, path) : MASKDM_OK;
    mdm_free(path);
    MDM_TRY(status);
    MDM_TRY(mdm_options_set(run->options, "override", ""));
    return mdm_record_write(run->told.out, run->options);
}

int mdm_run_begin(struct mdm_run *run)
{
    if (!mdm_run_writes(run))
        return MASKDM_OK;
    if (run->told.resume)
        MDM_TRY(mdm_folder_sweep(run->told.out));
    MDM_TRY(mdm_run_drop_snapshots(run));
    MDM_TRY(mdm_run_record(run));
    MDM_TRY(mdm_run_record_transfer(run));
    MDM_TRY(settle_override(run));
    run->begun = 1;
    return mdm_run_log_open(run, mdm_run_step(run));
}

void mdm_run_leave_folder(struct mdm_run *run)
{
    if (run->lock && !run->begun)
        mdm_folder_unmake(run->told.out, run->present);
    mdm_folder_unlock(&run->lock);
}

/* ---- saving ---- */

static int is_milestone(const struct mdm_run *run, int64_t step)
{
    return run->told.keep_every > 0 && step % run->told.keep_every == 0;
}

/* Keep milestones, and the newest `keep` checkpoints up to this step; later ones are broken leftovers, found by
 * resuming and not ours to remove. What cannot be removed is a warning. */
static int prune(struct mdm_run *run)
{
    struct listing l = {0};
    int64_t seen = 0;
    int status = list(run, &l);

    for (int64_t i = 0; i < l.saved.count && status == MASKDM_OK; i++) {
        char *path;

        if (l.saved.step[i] > run->saved || ++seen <= run->told.keep || is_milestone(run, l.saved.step[i]))
            continue;
        path = checkpoint_path(run, l.saved.step[i]);
        status = path ? mdm_file_remove(path) : MASKDM_ENOMEM;
        mdm_free(path);
    }
    mdm_free(l.saved.step);
    if (status < 0)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_WARN, "cannot remove old checkpoints: %s",
                     mdm_error_text());
    return MASKDM_OK;
}

static int save(struct mdm_run *run)
{
    int64_t step = mdm_run_step(run);
    char *path = checkpoint_path(run, step);
    int status = path ? MASKDM_OK : MASKDM_ENOMEM;

    if (status == MASKDM_OK && run->saved != step)
        status = mdm_trainer_save(run->trainer, path);
    if (status == MASKDM_OK)
        run->saved = step;
    if (status == MASKDM_OK && run->published != step)
        status = mdm_run_publish(run);
    if (status == MASKDM_OK)
        run->published = step;
    run->saved_at = mdm_clock();
    mdm_free(path);
    return status == MASKDM_OK ? prune(run) : status;
}

/* Whether there is too little room for what a save writes; of a quota that the file system does not tell of nothing
 * is known. */
static int is_full(const struct mdm_run *run)
{
    uint64_t bytes;

    return mdm_disk_free(&bytes, run->told.out) == MASKDM_OK && (double)bytes < mdm_run_room(run);
}

enum { LONGEST_PAUSE = 60 }; /* seconds */

int mdm_run_save(struct mdm_run *run)
{
    int status = mdm_run_writes(run) ? save(run) : MASKDM_OK;

    for (double pause = 1; status == MASKDM_EIO && run->told.on_disk_full == MDM_FULL_WAIT; pause *= 2) {
        struct mdm_failure why;

        mdm_failure_take(&why, status);
        if (!is_full(run))
            return mdm_failure_record(&why);
        pause = pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_WARN, "%s; waiting for room, for %g s", why.text,
                     pause);
        for (double left = pause; left > 0 && !mdm_control_stopping(run->control); left -= 0.1)
            mdm_clock_sleep(0.1);
        if (mdm_control_stopping(run->control))
            return mdm_failure_record(&why);
        status = save(run);
    }
    return status;
}
