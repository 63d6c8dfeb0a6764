/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Snapshots of a run's averages in its folder, and the job that makes an average of another width of them.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/error.h"
#include "run/average.h"

int mdm_run_check_snapshots(const struct mdm_run *run)
{
    const struct mdm_ema_rule *rule = &run->optimizer->rule;

    if (run->told.snapshot_every > 0 && run->model->adapter)
        return mdm_fail(MASKDM_EINVAL, "%s is for runs that publish a model, not an adapter",
                        mdm_options_said(run->options, "snapshot_every"));
    if (run->told.snapshot_every > 0 && !mdm_ema_has_profile(rule))
        return mdm_fail(MASKDM_EINVAL, "%s %lld is for %s power, of whose snapshots other widths are made, not %s",
                        mdm_options_said(run->now, "snapshot_every"), (long long)run->told.snapshot_every,
                        mdm_options_said(run->now, "ema"), mdm_ema_name(rule->type));
    return MASKDM_OK;
}

/* A weight that 16 bits do not hold is no reason to lose a run. */
int mdm_run_snapshot(struct mdm_run *run)
{
    int status = mdm_trainer_snapshot(run->trainer, run->told.out, (int)run->told.snapshot_dtype);

    if (status != MASKDM_EINVAL || run->told.snapshot_dtype == MDM_EXPORT_F32)
        return status;
    mdm_log_line(&run->voice, MASKDM_LOG_WARN, "the snapshot of step %lld is of float32: %s",
                 (long long)mdm_run_step(run), mdm_error_text());
    return mdm_trainer_snapshot(run->trainer, run->told.out, MDM_EXPORT_F32);
}

struct later {
    const char *folder;
    int64_t step;
};

static int drop_later(void *user, const char *name, enum mdm_file_kind kind)
{
    const struct later *l = user;
    const int64_t step = kind == MDM_FILE_REGULAR ? mdm_snapshot_step(name) : -1;
    char *path;
    int status;

    if (step <= l->step)
        return MASKDM_OK;
    path = mdm_path_join(l->folder, name);
    status = path ? mdm_file_remove(path) : MASKDM_ENOMEM;
    mdm_free(path);
    return status;
}

int mdm_run_drop_snapshots(const struct mdm_run *run)
{
    struct later l = {run->told.out, mdm_run_step(run)};

    return mdm_folder_list(run->told.out, drop_later, &l);
}
