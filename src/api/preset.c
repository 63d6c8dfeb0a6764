/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Presets.
 */
#include <maskdm/options.h>

#include "api/argument.h"
#include "option/option.h"
#include "option/preset.h"

int maskdm_options_presets(const char *folder, char *buffer, size_t capacity, size_t *needed)
{
    struct mdm_text t = {0};

    MDM_NEED_ARRAY(buffer, capacity);
    return mdm_argument_text(&t, mdm_preset_names(&t, folder), buffer, capacity, needed);
}

int maskdm_options_preset_text(const char *name, const char *what, const char *folder, char *buffer, size_t capacity,
                               size_t *needed)
{
    struct mdm_text t = {0};

    MDM_NEED(name);
    MDM_NEED_ARRAY(buffer, capacity);
    return mdm_argument_text(&t, mdm_preset_text(&t, name, what, folder), buffer, capacity, needed);
}

int maskdm_options_load_preset(maskdm_options *options, const char *name, const char *folder)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_NEED(name);
    MDM_TRY(mdm_work_alone(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_options_load_preset(options, name, folder));
}
