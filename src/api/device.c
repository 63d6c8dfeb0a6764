/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Devices across the border: check arguments, forward.
 */
#include "backend/device.h"

#include "api/argument.h"

int maskdm_device_open(maskdm_device **out, const char *name, const maskdm_options *options)
{
    struct maskdm_work work = {0};

    MASKDM_NEED_OUT(out);
    MASKDM_NEED(name);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_backend_open(out, name, options, NULL, 0, NULL));
}

int maskdm_device_open_hosted(maskdm_device **out, const maskdm_options *options, maskdm_parallel_for parallel_for,
                              int64_t workers, void *user)
{
    struct maskdm_work work = {0};

    MASKDM_NEED_OUT(out);
    MASKDM_NEED(parallel_for);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_backend_open(out, "cpu", options, parallel_for, workers, user));
}

void maskdm_device_release(maskdm_device **device)
{
    maskdm_device_drop(device);
}

int64_t maskdm_device_threads(const maskdm_device *device)
{
    MASKDM_NEED_OR(device, 0);
    return maskdm_device_workers(device);
}

size_t maskdm_device_memory_used(const maskdm_device *device)
{
    MASKDM_NEED_OR(device, 0);
    return maskdm_device_used(device);
}

size_t maskdm_device_memory_peak(const maskdm_device *device)
{
    MASKDM_NEED_OR(device, 0);
    return maskdm_device_peak(device);
}

size_t maskdm_device_memory_limit(const maskdm_device *device)
{
    MASKDM_NEED_OR(device, 0);
    return maskdm_device_limit(device);
}

const char *maskdm_device_description(const maskdm_device *device)
{
    MASKDM_NEED_OR(device, NULL);
    return maskdm_device_text(device);
}
