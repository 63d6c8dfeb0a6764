/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking at a run's folder from outside, while it is written or after it was cut.
 */
#include "run/status.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"
#include "run/options.h"

#include <stdlib.h>
#include <string.h>

/* ---- the record ---- */

static const struct mdm_option_kind *const kinds[] = {&mdm_train_kind, &mdm_pretrain_kind, &mdm_finetune_kind,
                                                      &mdm_tune_kind};

static const struct mdm_option_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < MDM_LENGTH(kinds); i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

/* Steps of all stages. */
static int count_steps(struct mdm_status *s, const maskdm_options *o)
{
    const int stages = mdm_options_stages(o) ? mdm_options_stages(o) : 1;

    s->steps = 0;
    for (int k = 0; k < stages; k++) {
        struct mdm_train_run_options told;
        maskdm_options *stage;

        MDM_TRY(mdm_options_stage(&stage, o, k));
        mdm_options_read(stage, mdm_options_kind(stage)->table[0], &told);
        s->steps += told.steps;
        s->log_every = told.log_every;
        mdm_options_release(&stage);
    }
    return MASKDM_OK;
}

static int read_options(struct mdm_status *s)
{
    const struct mdm_option_kind *kind;
    maskdm_options *o = NULL;
    int status = mdm_record_kind(s->kind, s->folder);

    kind = status == MASKDM_OK ? find_kind(s->kind) : NULL;
    if (status == MASKDM_OK && !kind)
        status = mdm_fail(MASKDM_EFORMAT,
                          *s->kind ? "%s/" MDM_RECORD_NAME " is of a job \"%s\""
                                   : "%s/" MDM_RECORD_NAME " does not say of which job it is",
                          s->folder, s->kind);
    if (status == MASKDM_OK)
        status = mdm_record_read(&o, s->folder, kind);
    if (status == MASKDM_OK && o)
        status = count_steps(s, o);
    mdm_options_release(&o);
    if (status == MASKDM_ENOMEM)
        return status;
    if (status < 0)
        mdm_format(s->unread, sizeof s->unread, "%s", mdm_error_text());
    return MASKDM_OK;
}

/* ---- the folder ---- */

/* A file may go while it is looked at. */
static int count_file(struct mdm_status *s, const char *name)
{
    char *path = mdm_path_join(s->folder, name);
    struct mdm_look look;
    int status = path ? mdm_look(&look, path) : MASKDM_ENOMEM;

    mdm_free(path);
    if (status == MASKDM_OK && look.kind == MDM_LOOK_FILE) {
        s->files++;
        s->bytes += look.bytes;
    }
    return status;
}

static int note(void *user, const char *name, enum mdm_file_kind kind)
{
    struct mdm_status *s = user;
    const int64_t step = mdm_checkpoint_step(name);

    if (kind != MDM_FILE_REGULAR)
        return MASKDM_OK;
    s->model |= !strcmp(name, "model.safetensors");
    s->adapter |= !strcmp(name, "adapter.safetensors");
    if (step >= 0)
        MDM_TRY(mdm_checkpoint_add(&s->saved, step));
    return count_file(s, name);
}

static int rising(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int is_run(int *is, const char *folder)
{
    static const char *const names[] = {MDM_RECORD_NAME, "log.jsonl"};

    *is = 0;
    for (size_t i = 0; i < MDM_LENGTH(names) && !*is; i++) {
        char *path = mdm_path_join(folder, names[i]);
        enum mdm_file_kind kind;

        if (!path)
            return MASKDM_ENOMEM;
        *is = mdm_file_kind_of(&kind, path) == MASKDM_OK && kind != MDM_FILE_NONE;
        mdm_free(path);
    }
    return MASKDM_OK;
}

static int look(struct mdm_status *s)
{
    int is;

    MDM_TRY(is_run(&is, s->folder));
    if (!is)
        return mdm_fail(MASKDM_ENOTFOUND,
                        "%s is no folder of a run: it has neither " MDM_RECORD_NAME " nor log.jsonl", s->folder);
    MDM_TRY(read_options(s));
    MDM_TRY(mdm_folder_is_locked(&s->running, s->folder));
    MDM_TRY(mdm_history_read(&s->history, s->folder));
    MDM_TRY(mdm_folder_list(s->folder, note, s));
    if (s->saved.count)
        qsort(s->saved.step, (size_t)s->saved.count, sizeof *s->saved.step, rising);
    return MASKDM_OK;
}

int mdm_status_read(struct mdm_status *s, const char *folder)
{
    int status;

    *s = (struct mdm_status){.folder = folder, .steps = -1};
    status = look(s);
    if (status < 0)
        mdm_status_free(s);
    return status;
}

void mdm_status_free(struct mdm_status *s)
{
    mdm_history_free(&s->history);
    mdm_free(s->saved.step);
    s->saved.step = NULL;
}
