/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A sampler's settings, where the caller and the model each say some.
 */
#include "sample/sampler.h"

#include "base/error.h"
#include "diffusion/options.h"

#include <string.h>

/* Another sampler than the model's has other needs, and is left alone. */
int mdm_sampler_follow(maskdm_options *o, const maskdm_model *model)
{
    if (!model->sampler || (mdm_options_is_set(o, "sampler") &&
                            strcmp(mdm_options_text(o, "sampler"), mdm_options_text(model->sampler, "sampler"))))
        return MASKDM_OK;
    MDM_TRY(mdm_options_complete(o, model->sampler));
    return mdm_options_check(o);
}

int mdm_sampler_settle(maskdm_options **out, const maskdm_options *options, const maskdm_model *model)
{
    int status;

    MDM_TRY(mdm_options_extract(out, options, &mdm_sampler_kind));
    status = model ? mdm_sampler_follow(*out, model) : MASKDM_OK;
    if (status == MASKDM_OK)
        status = mdm_options_check_needs(*out, NULL);
    if (status < 0)
        mdm_options_release(out);
    return status;
}
