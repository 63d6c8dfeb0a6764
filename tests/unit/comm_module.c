/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module of communicators in a file of its own that must not be called: of a later version, or of another name.
 */
#include "comm/carrier.h"

const struct mdm_comm_module *mdm_comm_module(void);

static int open_never(struct mdm_carrier **out, const struct mdm_comm_host *host, const struct mdm_comm_settings *s)
{
    (void)out;
    (void)s;
    return host->record(MASKDM_EIO, "the module was called");
}

__attribute__((visibility("default"))) const struct mdm_comm_module *mdm_comm_module(void)
{
    static const struct mdm_carrier_vtbl table = {.version = MDM_COMM_VERSION + LATER, .size = sizeof table};
    static const struct mdm_comm_module module = {COMM, &table, open_never};

    return &module;
}
