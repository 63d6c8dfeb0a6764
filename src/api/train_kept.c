/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of what training keeps: frozen parameters, and images of the model that it goes on from.
 */
#include "api/argument.h"
#include "train/trainer.h"

int maskdm_trainer_set_retained(maskdm_trainer *trainer, maskdm_data *data)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_TRY(mdm_work_alone(&work, &trainer->handle));
    MDM_TRY(mdm_work_alone(&work, MDM_HANDLE(data)));
    return mdm_work_end(&work, mdm_retain_set(trainer, data));
}

int maskdm_trainer_is_trained(const maskdm_trainer *trainer, int64_t i)
{
    const struct mdm_param *p;

    MDM_NEED(trainer);
    MDM_TRY(mdm_argument_parameter(&p, &trainer->model->layout, i));
    return !p->frozen;
}
