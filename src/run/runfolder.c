/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The run's folder: entered, resumed from, saved into, pruned. There is no "latest" pointer that could lie: resuming
 * looks at the names and tries the newest checkpoint first.
 */
#include "run/run.h"

#include "run/record.h"
#include "util/alloc.h"
#include "util/error.h"

#include <stdlib.h>
#include <string.h>

struct listing {
    int64_t *step; /* of checkpoints, newest first once sorted */
    int64_t count, capacity;
    int64_t entries; /* of any kind */
};

char *maskdm_run_path(const struct maskdm_run *run, const char *name)
{
    return maskdm_path_join(run->out, name);
}

static int64_t checkpoint_step(const char *name)
{
    static const char head[] = "checkpoint-", tail[] = ".safetensors";
    size_t n = strlen(name), h = sizeof head - 1, t = sizeof tail - 1;
    char digits[32];
    int64_t step;

    if (n <= h + t || n - h - t >= sizeof digits || strncmp(name, head, h) != 0 || strcmp(name + n - t, tail) != 0)
        return -1;
    memcpy(digits, name + h, n - h - t);
    digits[n - h - t] = '\0';
    return strspn(digits, "0123456789") == n - h - t && maskdm_parse_i64(digits, &step) == 0 ? step : -1;
}

static int note(void *user, const char *name, enum maskdm_file_kind kind)
{
    struct listing *l = user;
    int64_t step = kind == MASKDM_FILE_REGULAR ? checkpoint_step(name) : -1;

    l->entries++;
    if (step < 0)
        return MASKDM_OK;
    if (l->count == l->capacity) {
        int64_t capacity = l->capacity ? 2 * l->capacity : 16;
        int64_t *larger = maskdm_realloc(l->step, (size_t)capacity * sizeof *larger);

        if (!larger)
            return maskdm_fail_memory((size_t)capacity * sizeof *larger, "a list of checkpoints");
        l->step = larger;
        l->capacity = capacity;
    }
    l->step[l->count++] = step;
    return MASKDM_OK;
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x < y) - (x > y);
}

static int list(const struct maskdm_run *run, struct listing *l)
{
    MASKDM_TRY(maskdm_folder_list(run->out, note, l));
    if (l->count)
        qsort(l->step, (size_t)l->count, sizeof *l->step, newest_first);
    return MASKDM_OK;
}

static char *checkpoint_path(const struct maskdm_run *run, int64_t step)
{
    char name[64];

    maskdm_format(name, sizeof name, "checkpoint-%lld.safetensors", (long long)step);
    return maskdm_run_path(run, name);
}

/* ---- resuming ---- */

/* Behind a start that saved nothing. Where there is a model its checkpoints were taken away, and a new start would
 * put an untrained one in its place. */
static int begin_anew(const struct maskdm_run *run)
{
    enum maskdm_file_kind kind;
    char *path = maskdm_run_path(run, "model.safetensors");
    int status = path ? maskdm_file_kind_of(&kind, path) : MASKDM_ENOMEM;

    if (status == MASKDM_OK && kind != MASKDM_FILE_NONE)
        status = maskdm_fail(MASKDM_EINVAL,
                             "there is no checkpoint in %s to resume from, and starting from the beginning would "
                             "replace %s; it can be fine-tuned, or moved away",
                             run->out, path);
    maskdm_free(path);
    if (status == MASKDM_OK)
        maskdm_log_line(maskdm_control_log(run->control), MASKDM_LOG_INFO,
                        "no checkpoint in %s: starting from the beginning", run->out);
    return status;
}

/* The newest checkpoint that loads. A broken one is named and passed over; one of another run is an error. */
static int load_newest(struct maskdm_run *run, const struct listing *l)
{
    const struct maskdm_log *log = maskdm_control_log(run->control);
    int status = MASKDM_OK;

    for (int64_t i = 0; i < l->count; i++) {
        char *path = checkpoint_path(run, l->step[i]);

        if (!path)
            return MASKDM_ENOMEM;
        status = maskdm_training_load(run->trainer, path);
        if (status == MASKDM_OK) {
            run->saved = run->trainer->optimizer->steps;
            maskdm_log_line(log, MASKDM_LOG_INFO, "resuming from %s", path);
        }
        maskdm_free(path);
        if (status != MASKDM_EFORMAT && status != MASKDM_EIO)
            return status;
        maskdm_log_line(log, MASKDM_LOG_WARN, "passing over a broken checkpoint: %s", maskdm_error_text());
    }
    if (l->count)
        return maskdm_fail_prefix(status, "none of the %lld checkpoints in %s can be read, the oldest",
                                  (long long)l->count, run->out);
    return begin_anew(run);
}

/* Whether a file can be made in it. */
static int try_writing(const struct maskdm_run *run)
{
    char *path = maskdm_run_path(run, "options.json");
    struct maskdm_writer *w = NULL;
    int status = path ? maskdm_writer_open(&w, path) : MASKDM_ENOMEM;

    maskdm_writer_abandon(&w);
    maskdm_free(path);
    return status;
}

int maskdm_run_enter_folder(struct maskdm_run *run)
{
    struct listing l = {0};
    enum maskdm_file_kind kind;
    int status;

    MASKDM_TRY(maskdm_file_kind_of(&kind, run->out));
    if (kind != MASKDM_FILE_NONE && kind != MASKDM_FILE_FOLDER)
        return maskdm_fail(MASKDM_EINVAL, "%s is not a folder", run->out);
    run->present = maskdm_folder_present(run->out);
    MASKDM_TRY(maskdm_folder_make(run->out));
    MASKDM_TRY(maskdm_folder_lock(&run->lock, run->out, "another run"));
    status = list(run, &l);
    if (status == MASKDM_OK && l.entries && !run->resume)
        status = maskdm_fail(MASKDM_EINVAL, "%s is not empty; %s goes on with the run in it", run->out,
                             maskdm_optionset_said(run->options, "resume"));
    maskdm_free(l.step);
    return status == MASKDM_OK ? try_writing(run) : status;
}

int maskdm_run_load_checkpoint(struct maskdm_run *run)
{
    struct listing l = {0};
    int status = list(run, &l);

    if (status == MASKDM_OK)
        status = load_newest(run, &l);
    maskdm_free(l.step);
    return status;
}

int maskdm_run_begin(struct maskdm_run *run)
{
    if (run->resume)
        MASKDM_TRY(maskdm_folder_sweep(run->out));
    MASKDM_TRY(maskdm_run_record(run));
    run->begun = 1;
    return maskdm_run_log_open(run, run->trainer->optimizer->steps);
}

void maskdm_run_leave_folder(struct maskdm_run *run)
{
    if (run->lock && !run->begun)
        maskdm_folder_unmake(run->out, run->present);
    maskdm_folder_unlock(&run->lock);
}

/* ---- saving ---- */

/* Keep the newest `keep` checkpoints up to this step; later ones are broken leftovers, found by resuming and not ours
 * to remove. What cannot be removed is a warning. */
static int prune(struct maskdm_run *run)
{
    struct listing l = {0};
    int64_t seen = 0;
    int status = list(run, &l);

    for (int64_t i = 0; i < l.count && status == MASKDM_OK; i++) {
        char *path;

        if (l.step[i] > run->saved || ++seen <= run->keep)
            continue;
        path = checkpoint_path(run, l.step[i]);
        status = path ? maskdm_file_remove(path) : MASKDM_ENOMEM;
        maskdm_free(path);
    }
    maskdm_free(l.step);
    if (status < 0)
        maskdm_log_line(maskdm_control_log(run->control), MASKDM_LOG_WARN, "cannot remove old checkpoints: %s",
                        maskdm_error_text());
    return MASKDM_OK;
}

int maskdm_run_save(struct maskdm_run *run)
{
    int64_t step = run->trainer->optimizer->steps;
    char *path = checkpoint_path(run, step), *model = maskdm_run_path(run, "model.safetensors");
    int status = path && model ? MASKDM_OK : MASKDM_ENOMEM;

    if (status == MASKDM_OK && run->saved != step)
        status = maskdm_training_save(run->trainer, path);
    if (status == MASKDM_OK)
        run->saved = step;
    if (status == MASKDM_OK && run->published != step)
        status = maskdm_weights_save(run->trainer->model, model);
    if (status == MASKDM_OK)
        run->published = step;
    run->saved_at = maskdm_clock();
    maskdm_free(path);
    maskdm_free(model);
    return status == MASKDM_OK ? prune(run) : status;
}
