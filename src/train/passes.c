/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forward, loss and backward of the micro-batch, apart, so that a host can put its own loss between them.
 */
#include "train/trainer.h"

#include "base/error.h"
#include "train/tune.h"

/* A kernel that was asked to stop answers without a line of its own. */
static int explain(maskdm_trainer *tr, int status, const char *what)
{
    return status == MASKDM_ECANCELED ? mdm_control_canceled(tr->control, what) : status;
}

/* Before the pass at t; what it leaves in the micro-batch is that pass's. */
static int teach(maskdm_trainer *tr)
{
    int status;

    MDM_TRY(mdm_device_enter(tr->device));
    status = mdm_tune_teach(tr);
    mdm_device_leave(tr->device);
    return explain(tr, status, "the forward pass at less noise");
}

int mdm_trainer_forward(maskdm_trainer *tr)
{
    int status;

    if (tr->stage < MDM_STAGE_DRAWN)
        return mdm_fail(MASKDM_EINVAL, "forward needs a micro-batch: draw or set one first");
    tr->stage = MDM_STAGE_DRAWN;
    if (tr->tune)
        MDM_TRY(teach(tr));
    MDM_TRY(mdm_program_set(tr->program, tr->micro.input, tr->micro.network_times, tr->micro.labels,
                            tr->micro.index));
    MDM_TRY(mdm_program_set_kept(tr->program, tr->micro.keep));
    MDM_TRY(mdm_program_set_dropped(tr->program, tr->micro.dropped));
    MDM_TRY(mdm_device_enter(tr->device));
    status = mdm_program_forward(tr->program, tr->weights, mdm_control_cancel_flag(tr->control));
    mdm_device_leave(tr->device);
    if (status < 0)
        return explain(tr, status, "the forward pass");
    tr->stage = MDM_STAGE_FORWARD;
    return MASKDM_OK;
}

int mdm_trainer_compare(maskdm_trainer *tr, int late)
{
    const double scale = 1 / (double)(tr->batch_size * tr->pace.groups);
    int status;

    if (tr->stage < MDM_STAGE_FORWARD)
        return mdm_fail(MASKDM_EINVAL, "the loss needs a forward pass first");
    MDM_TRY(mdm_device_enter(tr->device));
    status = tr->tune ? mdm_tune_loss(tr, scale)
                      : mdm_microbatch_loss(&tr->micro, tr->program, tr->micro.index, tr->loss, tr->loss_delta, scale,
                                            late);
    mdm_device_leave(tr->device);
    MDM_TRY(status);
    tr->stage = MDM_STAGE_LOSS;
    return MASKDM_OK;
}

double mdm_trainer_sum_losses(const maskdm_trainer *tr)
{
    double sum = 0;

    for (int64_t b = 0; b < tr->batch; b++)
        sum += tr->micro.losses[b];
    return sum;
}

int mdm_trainer_loss(maskdm_trainer *tr, double *loss)
{
    MDM_TRY(mdm_trainer_compare(tr, 0));
    *loss = mdm_trainer_sum_losses(tr) / (double)tr->batch;
    return MASKDM_OK;
}

int mdm_trainer_backward(maskdm_trainer *tr, const float *dprediction)
{
    struct mdm_backend *b = mdm_device_backend(tr->device);
    int status;

    if (tr->stage < (dprediction ? MDM_STAGE_FORWARD : MDM_STAGE_LOSS))
        return mdm_fail(MASKDM_EINVAL, "backward needs a forward pass and a loss or gradient first");
    if (dprediction)
        MDM_TRY(b->v->upload(b, mdm_program_output_gradient(tr->program), dprediction,
                             (size_t)(tr->batch * tr->program->output_values) * sizeof *dprediction));
    tr->stage = MDM_STAGE_DRAWN; /* backward reuses what forward kept */
    MDM_TRY(mdm_device_enter(tr->device));
    status = mdm_program_backward(tr->program, tr->weights, tr->gradients, mdm_control_cancel_flag(tr->control));
    mdm_device_leave(tr->device);
    mdm_exchange_end(&tr->ranks.exchange);
    if (status == MASKDM_OK)
        return MASKDM_OK;
    MDM_TRY(mdm_trainer_zero_gradients(tr)); /* they are partly summed */
    return explain(tr, status, "the backward pass");
}

int mdm_trainer_zero_gradients(maskdm_trainer *tr)
{
    struct mdm_backend *b = mdm_device_backend(tr->device);
    int status;

    MDM_TRY(mdm_device_enter(tr->device));
    status = b->v->fill(b, tr->gradients, 0, tr->block_bytes);
    mdm_device_leave(tr->device);
    return status;
}
