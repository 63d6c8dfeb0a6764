/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of the optimizer.
 */
#include "train/optimizer.h"

#include "api/argument.h"

#include <math.h>

int maskdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options, const maskdm_options *ema)
{
    struct maskdm_work work = {0};

    MASKDM_NEED_OUT(out);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(ema)));
    return maskdm_work_end(&work, maskdm_adamw_create(out, options, ema));
}

void maskdm_optimizer_release(maskdm_optimizer **optimizer)
{
    if (optimizer)
        maskdm_adamw_drop(optimizer);
}

/* Weights and gradients are the trainer's, which must be there to the end. */
static int begin(struct maskdm_work *work, const maskdm_optimizer *optimizer)
{
    MASKDM_TRY(maskdm_work_alone(work, &optimizer->handle));
    return maskdm_work_alone(work, optimizer->owner);
}

int maskdm_optimizer_step(maskdm_optimizer *optimizer)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(optimizer);
    MASKDM_TRY(begin(&work, optimizer));
    return maskdm_work_end(&work, maskdm_adamw_step(optimizer, 0, 0));
}

int maskdm_ema_update(maskdm_optimizer *optimizer)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(optimizer);
    MASKDM_TRY(begin(&work, optimizer));
    return maskdm_work_end(&work, maskdm_ema_apply(optimizer));
}

int64_t maskdm_optimizer_steps(const maskdm_optimizer *optimizer)
{
    MASKDM_NEED_OR(optimizer, 0);
    return optimizer->steps;
}

double maskdm_optimizer_lr(const maskdm_optimizer *optimizer, int64_t step)
{
    MASKDM_NEED_OR(optimizer, (double)NAN);
    return step < 0 ? (double)NAN : maskdm_adamw_lr(optimizer, step);
}

double maskdm_optimizer_grad_norm(const maskdm_optimizer *optimizer)
{
    MASKDM_NEED_OR(optimizer, (double)NAN);
    return optimizer->grad_norm;
}
