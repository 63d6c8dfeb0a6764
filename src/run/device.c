/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening a job's device.
 */
#include "run/device.h"

#include "backend/options.h"

#include <string.h>

static void tell_warning(maskdm_device *device, const struct mdm_log *log)
{
    struct mdm_backend *b = mdm_device_backend(device);
    const char *warning = b->v->warning ? b->v->warning(b) : NULL;

    if (warning)
        mdm_log_line(log, MASKDM_LOG_WARN, "%s", warning);
}

int mdm_run_open_device(maskdm_device **out, const char *name, const maskdm_options *options,
                        const struct mdm_log *log)
{
    maskdm_options *o;
    int status;

    *out = NULL;
    MDM_TRY(mdm_options_extract(&o, options, &mdm_device_kind));
    status = mdm_backend_open(out, name, o, NULL, 0, NULL);
    mdm_options_release(&o);
    if (!status && strcmp(name, "cpu") != 0)
        mdm_log_line(log, MASKDM_LOG_INFO, "computing on %s", mdm_device_text(*out));
    if (!status)
        tell_warning(*out, log);
    return status;
}
