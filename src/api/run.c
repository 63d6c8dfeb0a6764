/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of whole training runs.
 */
#include "run/run.h"

int maskdm_pretrain(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                    maskdm_control *control)
{
    return maskdm_run_pretrain(out, options, data, mask, control);
}

int maskdm_finetune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                    maskdm_control *control)
{
    return maskdm_run_finetune(out, options, data, mask, control);
}
