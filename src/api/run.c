/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of whole jobs: training runs and conversion.
 */
#include "run/convert.h"
#include "run/run.h"
#include "util/error.h"

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

int maskdm_convert(const maskdm_options *options, maskdm_control *control)
{
    if (!options)
        return maskdm_fail(MASKDM_EINVAL, "options are NULL");
    return maskdm_convert_run(options, control);
}
