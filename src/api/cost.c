/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of what training costs.
 */
#include "train/cost.h"

#include "api/argument.h"
#include "train/trainer.h"

#include <stddef.h>
#include <string.h>

static int begin(struct mdm_work *work, const maskdm_trainer *trainer)
{
    MDM_TRY(mdm_work_alone(work, &trainer->handle));
    return mdm_work_alone(work, &trainer->optimizer->handle);
}

int maskdm_trainer_cost(maskdm_trainer *trainer, struct maskdm_cost *cost)
{
    struct mdm_work work = {0};
    struct maskdm_cost made;
    size_t room;
    int status;

    MDM_NEED(trainer);
    MDM_NEED(cost);
    room = cost->struct_size;
    if (room < offsetof(struct maskdm_cost, images))
        return mdm_fail(MASKDM_EINVAL, "%s: struct_size is %zu, and %zu in this version", __func__, room,
                        sizeof made);
    MDM_TRY(begin(&work, trainer));
    status = mdm_trainer_cost(trainer, &made);
    made.struct_size = room < sizeof made ? room : sizeof made;
    if (status == MASKDM_OK)
        memcpy(cost, &made, made.struct_size);
    return mdm_work_end(&work, status);
}

int maskdm_trainer_measure(maskdm_trainer *trainer, double *passes, double *whole)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(passes);
    MDM_NEED(whole);
    MDM_TRY(begin(&work, trainer));
    return mdm_work_end(&work, mdm_trainer_measure(trainer, passes, whole));
}
