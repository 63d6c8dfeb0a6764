/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of networks.
 */
#include "model/network.h"

#include <string.h>

static const struct maskdm_network *const networks[] = {&maskdm_uvit};

const struct maskdm_network *maskdm_network_find(const char *name)
{
    for (size_t i = 0; i < MASKDM_LENGTH(networks); i++)
        if (!strcmp(networks[i]->name, name))
            return networks[i];
    return NULL;
}
