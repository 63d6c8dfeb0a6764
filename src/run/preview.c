/* SPDX-License-Identifier: BSD-2-Clause
 *
 * samples-STEP.png: a grid from the same noise each time, so that grids compare. A preview that fails (no memory, a
 * full disk) is a warning: training goes on.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/discrete.h"
#include "diffusion/options.h"
#include "sample/sampler.h"

int mdm_run_sampler_options(maskdm_options **out, const struct mdm_run *run)
{
    const struct mdm_schedule *whole = mdm_discrete_schedule(run->trainer->model->scheduler->process);
    int64_t steps = run->tune ? 2 : run->told.sample_steps;
    int status;

    if (whole && steps > whole->timesteps)
        steps = whole->timesteps;
    MDM_TRY(mdm_options_create(out, &mdm_sampler_kind));
    status = mdm_options_set(*out, "sampler", run->tune ? "consistency" : "dpmpp");
    if (status == MASKDM_OK)
        status = mdm_options_set_int(*out, "steps", steps);
    if (status == MASKDM_OK)
        status = mdm_options_set_int(*out, "seed", (int64_t)run->seed);
    if (status < 0)
        mdm_options_release(out);
    return status;
}

static int make_sampler(maskdm_sampler **out, struct mdm_run *run)
{
    maskdm_options *o;
    int status;

    *out = NULL;
    MDM_TRY(mdm_run_sampler_options(&o, run));
    status =
        mdm_sampler_create(out, run->trainer->model, MASKDM_WEIGHTS_EMA, NULL, MASKDM_WEIGHTS_EMA, o, run->control);
    mdm_options_release(&o);
    return status;
}

static int write_grid(maskdm_sampler *sampler, int64_t count, const int32_t *labels, const char *path)
{
    static const struct mdm_png_text text[] = {{"Software", "maskdm"}, {NULL, NULL}};
    const struct mdm_writing how = {.sheet = {.bits = 8}, .text = text};
    struct mdm_writer *writer;

    MDM_TRY(mdm_writer_reserve(&writer, path));
    sampler->quiet = 1; /* what the host is told of steps are training steps */
    return mdm_sampler_write_grid(sampler, count, (struct mdm_seeds){0}, labels, &how, &writer);
}

static int draw(struct mdm_run *run, const char *path)
{
    int64_t count = run->told.sample_count;
    int64_t classes = run->trainer->model->geometry.classes;
    int32_t *labels = mdm_need((size_t)count, sizeof *labels, "labels");
    maskdm_sampler *sampler = NULL;
    int status = labels ? make_sampler(&sampler, run) : MASKDM_ENOMEM;

    for (int64_t i = 0; i < count && status == MASKDM_OK; i++)
        labels[i] = classes ? (int32_t)(i % classes) : -1;
    if (status == MASKDM_OK)
        status = write_grid(sampler, count, labels, path);
    mdm_sampler_drop(&sampler);
    mdm_free(labels);
    return status;
}

int mdm_run_check_preview(struct mdm_run *run)
{
    maskdm_sampler *sampler = NULL;
    int status = run->told.sample_every > 0 || run->told.evaluate_every > 0 ? make_sampler(&sampler, run) : MASKDM_OK;

    mdm_sampler_drop(&sampler);
    return status;
}

int mdm_run_preview(struct mdm_run *run)
{
    int64_t step = mdm_run_step(run);
    char name[64], *path;
    int status;

    mdm_format(name, sizeof name, "samples-%lld.png", (long long)step);
    path = mdm_path_join(run->told.out, name);
    status = path ? draw(run, path) : MASKDM_ENOMEM;
    mdm_free(path);
    if (status == MASKDM_OK || status == MASKDM_ECANCELED)
        return status;
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_WARN, "cannot draw samples at step %lld: %s",
                 (long long)step, mdm_error_text());
    return MASKDM_OK;
}
