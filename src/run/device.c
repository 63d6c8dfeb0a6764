/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opening a job's device.
 */
#include "run/device.h"

#include "backend/cpu/blas.h"
#include "backend/options.h"

#include <string.h>

/* Nobody would look for the reason in a library that was there before the processor. */
static void tell_lost_blas(maskdm_device *device, const struct mdm_log *log)
{
    if (mdm_cpu_is_left_to_lost_blas(mdm_device_backend(device)))
        mdm_log_line(log, MASKDM_LOG_WARN,
                     "%s does not know this processor and multiplies with its slow kernels, those for %s: a newer "
                     "one may know it, or OPENBLAS_CORETYPE in the environment name a processor that is like it",
                     mdm_blas_name(), mdm_blas_core());
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
        tell_lost_blas(*out, log);
    return status;
}
