/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Devices across the border: check arguments, forward.
 */
#include "backend/device.h"
#include "util/error.h"

int maskdm_device_open(maskdm_device **out, const char *name, const maskdm_options *options)
{
    if (!out)
        return maskdm_fail(MASKDM_EINVAL, "the place for the device is NULL");
    return maskdm_backend_open(out, name, options, NULL, 0, NULL);
}

int maskdm_device_open_hosted(maskdm_device **out, const maskdm_options *options, maskdm_parallel_for parallel_for,
                              int64_t workers, void *user)
{
    if (!out)
        return maskdm_fail(MASKDM_EINVAL, "the place for the device is NULL");
    *out = NULL;
    if (!parallel_for)
        return maskdm_fail(MASKDM_EINVAL, "the host's parallel loop is NULL");
    return maskdm_backend_open(out, "cpu", options, parallel_for, workers, user);
}

void maskdm_device_release(maskdm_device **device)
{
    maskdm_device_drop(device);
}

int64_t maskdm_device_threads(const maskdm_device *device)
{
    return maskdm_device_workers(device);
}

size_t maskdm_device_memory_used(const maskdm_device *device)
{
    return maskdm_device_used(device);
}

size_t maskdm_device_memory_peak(const maskdm_device *device)
{
    return maskdm_device_peak(device);
}

size_t maskdm_device_memory_limit(const maskdm_device *device)
{
    return maskdm_device_limit(device);
}

const char *maskdm_device_description(const maskdm_device *device)
{
    return maskdm_device_text(device);
}
