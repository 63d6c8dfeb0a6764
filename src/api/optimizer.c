/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of the optimizer.
 */
#include "train/optimizer.h"

#include "util/error.h"

#include <math.h>

int maskdm_optimizer_create(maskdm_optimizer **out, const maskdm_options *options, const maskdm_options *ema)
{
    return out ? maskdm_adamw_create(out, options, ema) : maskdm_fail(MASKDM_EINVAL, "out is NULL");
}

void maskdm_optimizer_release(maskdm_optimizer **optimizer)
{
    if (optimizer)
        maskdm_adamw_drop(optimizer);
}

int maskdm_optimizer_step(maskdm_optimizer *optimizer)
{
    return optimizer ? maskdm_adamw_step(optimizer, 0, 0) : maskdm_fail(MASKDM_EINVAL, "optimizer is NULL");
}

int maskdm_ema_update(maskdm_optimizer *optimizer)
{
    return optimizer ? maskdm_ema_apply(optimizer) : maskdm_fail(MASKDM_EINVAL, "optimizer is NULL");
}

int64_t maskdm_optimizer_steps(const maskdm_optimizer *optimizer)
{
    return optimizer ? optimizer->steps : 0;
}

double maskdm_optimizer_lr(const maskdm_optimizer *optimizer, int64_t step)
{
    return optimizer ? maskdm_adamw_lr(optimizer, step) : (double)NAN;
}

double maskdm_optimizer_grad_norm(const maskdm_optimizer *optimizer)
{
    return optimizer ? optimizer->grad_norm : (double)NAN;
}
