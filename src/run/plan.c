/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan of a run: what its steps come to, what it needs of memory and disk, and, once three steps were timed, when
 * it will be done.
 */
#include "run/run.h"

#include "backend/device.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "data/data.h"
#include "text/size.h"

#include <math.h>

/* ---- the disk ---- */

enum { FRAME = 8192 /* bytes of a preview beside its images */ };

static double times(int64_t steps, int64_t every)
{
    return every > 0 ? (double)(steps / every) + 1 : 0;
}

/* Bytes of what a run keeps, as if every checkpoint were of the stage at hand. */
struct room {
    double checkpoint, model, checkpoints, snapshots, previews, log;
};

static struct room measure(const struct mdm_run *run)
{
    const maskdm_optimizer *o = run->trainer->optimizer;
    const maskdm_model *model = run->trainer->model;
    const struct mdm_geometry *g = &model->geometry;
    const double block = (double)model->layout.numel * sizeof(float);
    const double average = block / (run->told.snapshot_dtype == MDM_EXPORT_F32 ? 1 : 2);
    const double picture = 2 * (double)(g->height * g->width * g->channels); /* of noise, enlarged and packed */

    return (struct room){
        .checkpoint = block * (1 + mdm_optimizer_blocks(o->rule.widths)),
        .model = block * (1 + (o->rule.widths > 0)),
        .checkpoints = (double)run->told.keep + times(run->total, run->told.keep_every),
        .snapshots = times(run->total, run->told.snapshot_every) * o->rule.widths * average,
        .previews = times(run->total, run->told.sample_every) * ((double)run->told.sample_count * picture + FRAME),
        .log = times(run->total, run->told.log_every) * 700,
    };
}

/* One more checkpoint or model than stays, since the new one is whole before the old one goes. */
static double sum(const struct room *r)
{
    return r->checkpoint * (r->checkpoints + 1) + 2 * r->model + r->snapshots + r->previews + r->log;
}

double mdm_run_room(const struct mdm_run *run)
{
    const struct room r = measure(run);

    return r.checkpoint + r.model;
}

static int note(void *user, const char *name, enum mdm_file_kind kind)
{
    const struct mdm_run *run = ((void **)user)[0];
    double *bytes = ((void **)user)[1];
    char *path = kind == MDM_FILE_REGULAR ? mdm_path_join(run->told.out, name) : NULL;
    struct mdm_look look = {.bytes = 0};

    if (path && mdm_look(&look, path) == MASKDM_OK)
        *bytes += (double)look.bytes;
    mdm_free(path);
    return MASKDM_OK;
}

/* What a run that is resumed holds already counts as free. */
static int tell_disk(struct mdm_run *run)
{
    char all[MDM_SIZE_TEXT], one[MDM_SIZE_TEXT], left[MDM_SIZE_TEXT];
    const struct room room = measure(run);
    double held = 0;
    void *user[] = {run, &held};
    uint64_t bytes;

    if (mdm_disk_free(&bytes, run->told.out) < 0)
        return MASKDM_OK; /* not every file system tells */
    MDM_TRY(mdm_folder_list(run->told.out, note, user));
    mdm_size_write(all, sum(&room));
    mdm_size_write(one, room.checkpoint);
    mdm_size_write(left, (double)bytes);
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                 "disk: %s at most in %s, %s a checkpoint; %s are free", all, run->told.out, one, left);
    if (sum(&room) > (double)bytes + held)
        mdm_log_line(&run->voice, MASKDM_LOG_WARN,
                     "the disk may fill: this run takes up to %s, and %s are free in %s", all, left, run->told.out);
    return MASKDM_OK;
}

/* ---- steps and memory ---- */

static double count_images(const struct mdm_run *run)
{
    double images = 0;

    if (run->stages == 1)
        return (double)mdm_pace_images(&run->trainer->pace, run->told.steps);
    for (int k = 0; k < run->stages; k++)
        images += (double)run->plan[k].cost.images;
    return images;
}

int mdm_run_tell_plan(struct mdm_run *run)
{
    const double images = count_images(run);
    char memory[MDM_SIZE_TEXT], limit[MDM_SIZE_TEXT], tokens[MDM_SIZE_TEXT];
    double visible = 0;

    for (int k = 0; k < run->stages; k++)
        visible += run->plan[k].tokens;
    mdm_size_write(memory, (double)mdm_device_peak(run->device));
    mdm_size_write(limit, (double)mdm_device_limit(run->device));
    mdm_format(tokens, sizeof tokens, "%.4g", visible);
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                 "%lld step%s, network %s: %.0f images, %.4g epochs, %s tokens seen", (long long)run->total,
                 run->total == 1 ? "" : "s", run->trainer->model->network->name, images,
                 images / (double)run->data->count, tokens);
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "memory: %s taken%s%s", memory,
                 mdm_device_limit(run->device) ? " of " : "", mdm_device_limit(run->device) ? limit : "");
    return tell_disk(run);
}

/* ---- times ---- */

/* The first step touches all memory for the first time; the mean is that of those behind it. */
void mdm_run_time_step(struct mdm_run *run)
{
    const int64_t done = run->trainer->optimizer->steps - run->first;
    const double seconds = run->trainer->meter.seconds;
    double each, left;
    char until[MDM_CLOCK_TEXT];

    if (done == 1)
        run->first_step = seconds;
    if (done != MDM_RUN_TIMED)
        return;
    each = (seconds - run->first_step) / (MDM_RUN_TIMED - 1);
    left = each * mdm_run_images_left(run) /
           (double)mdm_pace_at(&run->trainer->pace, run->trainer->optimizer->steps)->batch_size;
    mdm_clock_write(until, mdm_clock_calendar() + left);
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                 "%.3g s a step, as %d steps were timed: %.0f:%02.0f:%02.0f of them are left, until %s", each,
                 MDM_RUN_TIMED, floor(left / 3600), floor(fmod(left, 3600) / 60), floor(fmod(left, 60)), until);
}

int mdm_run_rehearse(struct mdm_run *run)
{
    const int64_t most = run->told.steps - run->trainer->optimizer->steps;

    run->first = run->trainer->optimizer->steps;
    for (int k = 0; k < MDM_RUN_TIMED && k < most; k++) {
        MDM_TRY(mdm_trainer_step(run->trainer, run->data));
        mdm_run_time_step(run);
        MDM_TRY(mdm_ranks_check(run->trainer, "the dry run"));
    }
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "a dry run: nothing was written to %s",
                 run->told.out);
    return MASKDM_OK;
}
