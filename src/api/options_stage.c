/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stages of a run.
 */
#include <maskdm/options.h>

#include "api/argument.h"
#include "option/option.h"

int maskdm_options_add_stage(maskdm_options *options, const char *text)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(text);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_add_stage(options, text));
}

int64_t maskdm_options_stage_count(const maskdm_options *options)
{
    MDM_NEED(options);
    return mdm_options_stages(options);
}
