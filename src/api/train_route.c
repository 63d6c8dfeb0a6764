/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of training: who takes part in the routes of a micro-batch.
 */
#include "train/trainer.h"

#include "api/argument.h"

/* The trainer with the optimizer that is bound to it. */
static int begin(struct mdm_work *work, const maskdm_trainer *trainer)
{
    MDM_TRY(mdm_work_alone(work, &trainer->handle));
    return mdm_work_alone(work, &trainer->optimizer->handle);
}

int64_t maskdm_trainer_routed(const maskdm_trainer *trainer, int64_t i)
{
    MDM_NEED(trainer);
    return mdm_trainer_routed(trainer, i);
}

int maskdm_trainer_set_route(maskdm_trainer *trainer, int64_t i, const int32_t *keep)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(keep);
    MDM_TRY(begin(&work, trainer));
    return mdm_work_end(&work, mdm_trainer_set_route(trainer, i, keep));
}

int maskdm_trainer_set_path_drop(maskdm_trainer *trainer, const int32_t *dropped)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(dropped);
    MDM_TRY(begin(&work, trainer));
    return mdm_work_end(&work, mdm_trainer_set_path_drop(trainer, dropped));
}
