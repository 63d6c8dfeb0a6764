/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A sampler's settings, where the caller and the model each say some.
 */
#include "sample/sampler.h"

#include "base/error.h"
#include "diffusion/options.h"

#include <string.h>

/* Another sampler than the model's has other needs, and is left alone. */
int mdm_sampler_settle(maskdm_options **out, const maskdm_options *options, const maskdm_model *model)
{
    int status;

    MDM_TRY(mdm_options_extract(out, options, &mdm_sampler_kind));
    if (!model || !model->sampler ||
        (mdm_options_is_set(*out, "sampler") &&
         strcmp(mdm_options_text(*out, "sampler"), mdm_options_text(model->sampler, "sampler"))))
        return MASKDM_OK;
    status = mdm_options_complete(*out, model->sampler);
    if (status >= 0)
        status = mdm_options_check(*out);
    if (status < 0)
        mdm_options_release(out);
    return status;
}
