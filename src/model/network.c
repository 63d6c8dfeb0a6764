/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of networks, and the option that picks one of them.
 */
#include "model/network.h"

#include "model/options.h"

#include <string.h>

static const struct mdm_network *const networks[] = {&mdm_uvit, &mdm_dit, &mdm_jit, &mdm_unet};

const struct mdm_network *mdm_network_at(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(networks) ? networks[i] : NULL;
}

const struct mdm_network *mdm_network_find(const char *name)
{
    for (size_t i = 0; i < MDM_LENGTH(networks); i++)
        if (!strcmp(networks[i]->name, name))
            return networks[i];
    return NULL;
}

int64_t mdm_network_routed(const struct mdm_network *network, const maskdm_options *options, int64_t visible)
{
    return network->routed ? network->routed(options, visible) : 0;
}

int mdm_network_fail(const char *name)
{
    struct mdm_text list = {0};
    int status;

    for (size_t i = 0; i < MDM_LENGTH(networks); i++)
        mdm_text_addf(&list, "%s\"%s\"", i ? ", " : "", networks[i]->name);
    status = list.failed ? mdm_text_ok(&list)
                         : mdm_fail(MASKDM_ENOTFOUND, "there is no network \"%s\"; there are %s", name, list.data);
    mdm_text_free(&list);
    return status;
}

static const struct mdm_option_table *table(int i)
{
    return mdm_network_at(i) ? mdm_network_at(i)->kind->table[0] : NULL;
}

static const struct mdm_option network_rows[] = {
    {MDM_CHOICE(mdm_network_options, network),
     .standard = "uvit",
     .among = table,
     .alias = "arch|architecture|backbone|model_type|net",
     .help = "which network"},
};
const struct mdm_option_table mdm_network_options = {
    "network", "", "a network of any kind", network_rows, MDM_LENGTH(network_rows),
    sizeof(struct mdm_network_options)};

static const struct mdm_option_table *const network_tables[] = {&mdm_network_options};
const struct mdm_option_kind mdm_network_kind = {"network", "a network of any kind", network_tables, 1};
