/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of whole jobs: training runs and conversion.
 */
#include "api/argument.h"
#include "data/data.h"
#include "run/convert.h"
#include "run/run.h"

/* Both kinds of training hold the same handles: the data alone, all else shared. */
static int train(int (*job)(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                            maskdm_control *control),
                 maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                 maskdm_control *control)
{
    struct maskdm_work work = {0};

    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    MASKDM_TRY(maskdm_work_alone(&work, MASKDM_HANDLE(data)));
    MASKDM_TRY(maskdm_work_share(&work, MASKDM_HANDLE(mask)));
    MASKDM_TRY(maskdm_work_share(&work, MASKDM_HANDLE(control)));
    return maskdm_work_end(&work, job(out, options, data, mask, control));
}

int maskdm_pretrain(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                    maskdm_control *control)
{
    if (out)
        *out = NULL;
    MASKDM_NEED(options);
    return train(maskdm_run_pretrain, out, options, data, mask, control);
}

int maskdm_finetune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                    maskdm_control *control)
{
    if (out)
        *out = NULL;
    MASKDM_NEED(options);
    return train(maskdm_run_finetune, out, options, data, mask, control);
}

int maskdm_convert(const maskdm_options *options, maskdm_control *control)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(options);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    MASKDM_TRY(maskdm_work_share(&work, MASKDM_HANDLE(control)));
    return maskdm_work_end(&work, maskdm_convert_run(options, control));
}
