/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From what is asked to a program's inputs, and through it.
 */
#include "sample/pass.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/scheduler.h"

struct mdm_pass mdm_pass_of(maskdm_model *model, enum maskdm_weights which, maskdm_control *control)
{
    mdm_model_hold(model);
    mdm_control_hold(control);
    return (struct mdm_pass){.model = model, .which = which, .control = control};
}

void mdm_pass_end(struct mdm_pass *pass)
{
    mdm_pass_rest(pass);
    mdm_model_drop(&pass->model);
    mdm_control_drop(&pass->control);
}

int mdm_pass_take(struct mdm_pass *pass, int64_t rows)
{
    pass->times = mdm_need((size_t)rows, sizeof *pass->times, "times of the sampler");
    pass->labels = mdm_need((size_t)rows, sizeof *pass->labels, "labels of the sampler");
    return pass->times && pass->labels ? MASKDM_OK : MASKDM_ENOMEM;
}

void mdm_pass_rest(struct mdm_pass *pass)
{
    mdm_free(pass->times);
    mdm_free(pass->labels);
    pass->times = NULL;
    pass->labels = NULL;
}

/* x as the network is given it. */
static int give(const struct mdm_pass *pass, struct mdm_program *p, const struct mdm_question *q, double scale)
{
    struct mdm_backend *b = mdm_device_backend(pass->model->device);
    const int64_t n = q->batch * p->image_values;
    float *input = mdm_program_input(p);

    for (int64_t row = 0; row < p->extent.batch; row += q->batch, input += n) {
        const struct mdm_mix scaled = {.n = n, .count = 1, .x = {q->x}, .a = {scale}, .y = input};

        MDM_TRY(scale == 1 ? mdm_device_copy(pass->model->device, input, q->x, (size_t)n * sizeof *input)
                           : b->v->mix(b, &scaled));
    }
    return MASKDM_OK;
}

static int forward(struct mdm_pass *pass, struct mdm_program *p, const struct mdm_question *q, const int32_t *index,
                   const int32_t *keep)
{
    const struct mdm_facts f = mdm_scheduler_facts(pass->model->scheduler, q->time);

    for (int64_t i = 0; i < p->extent.batch; i++) {
        pass->times[i] = f.network_time;
        pass->labels[i] = q->labels ? q->labels[i % q->batch] : -1;
    }
    MDM_TRY(give(pass, p, q, f.input_scale));
    MDM_TRY(mdm_program_set(p, mdm_program_input(p), pass->times, pass->labels, index));
    if (keep)
        MDM_TRY(mdm_program_set_kept(p, keep));
    return mdm_program_forward(p, mdm_model_block(pass->model, pass->which), mdm_control_cancel_flag(pass->control));
}

int mdm_pass_run(struct mdm_pass *pass, struct mdm_program *p, const struct mdm_question *q, const int32_t *index,
                 const int32_t *keep, int (*then)(void *user, struct mdm_program *p, float *out), void *user,
                 float *out)
{
    int status;

    MDM_TRY(mdm_device_enter(pass->model->device));
    status = forward(pass, p, q, index, keep);
    if (status == MASKDM_OK)
        status = then(user, p, out);
    mdm_device_leave(pass->model->device);
    return status == MASKDM_ECANCELED ? mdm_control_canceled(pass->control, "sampling") : status;
}
