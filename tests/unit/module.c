/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module of devices in a file of its own that must not be called: of a later version, or for another device.
 */
#include "backend/registry.h"

const struct mdm_device_module *mdm_device_module(void);

static int open_never(struct mdm_backend **out, const struct mdm_device_host *host,
                      const struct mdm_device_settings *settings)
{
    (void)out;
    (void)settings;
    return host->record(MASKDM_EIO, "the module was called");
}

__attribute__((visibility("default"))) const struct mdm_device_module *mdm_device_module(void)
{
    static const struct mdm_backend_vtbl table = {.version = MDM_BACKEND_VERSION + LATER, .size = sizeof table};
    static const struct mdm_device_module module = {DEVICE, &table, open_never};

    return &module;
}
