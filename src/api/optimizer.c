/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of the optimizer.
 */
#include "train/optimizer.h"

#include "api/argument.h"

#include <math.h>

int maskdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options, const maskdm_options *ema)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(ema)));
    return mdm_work_end(&work, mdm_optimizer_create(out, options, ema));
}

void maskdm_optimizer_release(maskdm_optimizer **optimizer)
{
    if (optimizer)
        mdm_optimizer_drop(optimizer);
}

/* Weights and gradients are the trainer's, which must be there to the end. */
static int begin(struct mdm_work *work, const maskdm_optimizer *optimizer)
{
    MDM_TRY(mdm_work_alone(work, &optimizer->handle));
    return mdm_work_alone(work, optimizer->owner);
}

int maskdm_optimizer_step(maskdm_optimizer *optimizer)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_TRY(begin(&work, optimizer));
    return mdm_work_end(&work, mdm_optimizer_step(optimizer, 0, 0));
}

int maskdm_optimizer_update_ema(maskdm_optimizer *optimizer)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_TRY(begin(&work, optimizer));
    return mdm_work_end(&work, mdm_optimizer_update_ema(optimizer));
}

int maskdm_optimizer_set_lr(maskdm_optimizer *optimizer, double lr)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_TRY(mdm_host_rules_check_lr(lr));
    MDM_TRY(mdm_work_alone(&work, &optimizer->handle));
    optimizer->host.lr = lr;
    return mdm_work_end(&work, MASKDM_OK);
}

int maskdm_optimizer_set_group(maskdm_optimizer *optimizer, const char *pattern, double lr_factor,
                               double weight_decay)
{
    struct mdm_work work = {0};

    MDM_NEED(optimizer);
    MDM_NEED(pattern);
    MDM_TRY(mdm_work_alone(&work, &optimizer->handle));
    return mdm_work_end(&work, mdm_optimizer_set_group(optimizer, pattern, lr_factor, weight_decay));
}

int64_t maskdm_optimizer_steps(const maskdm_optimizer *optimizer)
{
    MDM_NEED(optimizer);
    return optimizer->steps;
}

double maskdm_optimizer_lr(const maskdm_optimizer *optimizer, int64_t step)
{
    MDM_NEED_OR(optimizer, (double)NAN);
    return step < 0 ? (double)NAN : mdm_optimizer_lr(optimizer, step);
}

double maskdm_optimizer_grad_norm(const maskdm_optimizer *optimizer)
{
    MDM_NEED_OR(optimizer, (double)NAN);
    return optimizer->grad_norm;
}
