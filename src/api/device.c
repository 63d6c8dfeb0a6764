/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Devices across the border: check arguments, forward.
 */
#include "backend/device.h"

#include "api/argument.h"

int maskdm_device_open(maskdm_device **out, const char *name, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(name);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_backend_open(out, name, options, NULL, 0, NULL));
}

int maskdm_device_open_hosted(maskdm_device **out, const maskdm_options *options,
                              maskdm_parallel_callback parallel_for, int64_t workers, void *user)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(parallel_for);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_backend_open(out, "cpu", options, parallel_for, workers, user));
}

void maskdm_device_release(maskdm_device **device)
{
    mdm_device_drop(device);
}

int64_t maskdm_device_threads(const maskdm_device *device)
{
    MDM_NEED(device);
    return mdm_device_workers(device);
}

int64_t maskdm_device_memory_used(const maskdm_device *device)
{
    MDM_NEED(device);
    return (int64_t)mdm_device_used(device);
}

int64_t maskdm_device_memory_peak(const maskdm_device *device)
{
    MDM_NEED(device);
    return (int64_t)mdm_device_peak(device);
}

int64_t maskdm_device_memory_limit(const maskdm_device *device)
{
    MDM_NEED(device);
    return (int64_t)mdm_device_limit(device);
}

const char *maskdm_device_description(const maskdm_device *device)
{
    MDM_NEED_OR(device, NULL);
    return mdm_device_text(device);
}
