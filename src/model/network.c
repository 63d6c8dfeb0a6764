/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of networks.
 */
#include "model/network.h"

#include <string.h>

static const struct mdm_network *const networks[] = {&mdm_uvit};

const struct mdm_network *mdm_network_find(const char *name)
{
    for (size_t i = 0; i < MDM_LENGTH(networks); i++)
        if (!strcmp(networks[i]->name, name))
            return networks[i];
    return NULL;
}
