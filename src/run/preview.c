/* SPDX-License-Identifier: BSD-2-Clause
 *
 * samples-STEP.png: a grid from the same noise each time, so that grids compare. A preview that fails (no memory, a
 * full disk) is a warning: training goes on.
 */
#include "run/run.h"

#include "sample/options.h"
#include "sample/sampler.h"
#include "util/alloc.h"
#include "util/error.h"

static int make_sampler(maskdm_sampler **out, struct maskdm_run *run)
{
    const struct {
        const char *name;
        int64_t value;
    } setting[] = {{"steps", maskdm_optionset_int(run->options, "sample_steps")},
                   {"seed", maskdm_optionset_int(run->options, "seed")}};
    int64_t timesteps = maskdm_optionset_int(run->options, "timesteps");
    maskdm_options *o;
    int status;

    *out = NULL;
    MASKDM_TRY(maskdm_optionset_create(&o, &maskdm_sampler_kind));
    status = maskdm_optionset_set(o, "sampler", "ddim");
    for (size_t i = 0; i < MASKDM_LENGTH(setting) && status == MASKDM_OK; i++) {
        int64_t value = i == 0 && setting[i].value > timesteps ? timesteps : setting[i].value;
        char text[32];

        maskdm_format(text, sizeof text, "%lld", (long long)value);
        status = maskdm_optionset_set(o, setting[i].name, text);
    }
    if (status == MASKDM_OK)
        status = maskdm_sampling_create(out, run->trainer->model, MASKDM_WEIGHTS_EMA, o, run->control);
    maskdm_optionset_release(&o);
    return status;
}

/* The host watches training: what it is told of steps are training steps, never the sampler's. */
static int write_quietly(struct maskdm_run *run, maskdm_sampler *sampler, int64_t count, const int32_t *labels,
                         const char *path)
{
    maskdm_progress_callback progress = run->control ? run->control->progress : NULL;
    struct maskdm_writer *writer;
    int status;

    MASKDM_TRY(maskdm_writer_reserve(&writer, path));
    if (run->control)
        run->control->progress = NULL;
    status = maskdm_sampling_write_grid(sampler, count, labels, 0, 8, &writer);
    if (run->control)
        run->control->progress = progress;
    return status;
}

static int draw(struct maskdm_run *run, const char *path)
{
    int64_t count = maskdm_optionset_int(run->options, "sample_count");
    int64_t classes = run->trainer->model->geometry.classes;
    int32_t *labels = maskdm_need((size_t)count, sizeof *labels, "labels");
    maskdm_sampler *sampler = NULL;
    int status = labels ? make_sampler(&sampler, run) : MASKDM_ENOMEM;

    for (int64_t i = 0; i < count && status == MASKDM_OK; i++)
        labels[i] = classes ? (int32_t)(i % classes) : -1;
    if (status == MASKDM_OK)
        status = write_quietly(run, sampler, count, labels, path);
    maskdm_sampling_drop(&sampler);
    maskdm_free(labels);
    return status;
}

int maskdm_run_check_preview(struct maskdm_run *run)
{
    maskdm_sampler *sampler = NULL;
    int status = run->sample_every > 0 ? make_sampler(&sampler, run) : MASKDM_OK;

    maskdm_sampling_drop(&sampler);
    return status;
}

int maskdm_run_preview(struct maskdm_run *run)
{
    int64_t step = run->trainer->optimizer->steps;
    char name[64], *path;
    int status;

    maskdm_format(name, sizeof name, "samples-%lld.png", (long long)step);
    path = maskdm_run_path(run, name);
    status = path ? draw(run, path) : MASKDM_ENOMEM;
    maskdm_free(path);
    if (status == MASKDM_OK || status == MASKDM_ECANCELED)
        return status;
    maskdm_log_line(maskdm_control_log(run->control), MASKDM_LOG_WARN, "cannot draw samples at step %lld: %s",
                    (long long)step, maskdm_error_text());
    return MASKDM_OK;
}
