/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of a trainer that is one of several.
 */
#include "train/trainer.h"

#include "api/argument.h"

int maskdm_trainer_set_comm(maskdm_trainer *trainer, maskdm_comm *comm)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_TRY(mdm_work_alone(&work, &trainer->handle));
    MDM_TRY(mdm_work_alone(&work, &trainer->optimizer->handle));
    MDM_TRY(mdm_work_alone(&work, MDM_HANDLE(comm)));
    return mdm_work_end(&work, mdm_ranks_set(trainer, comm));
}
