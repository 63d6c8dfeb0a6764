/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of networks, and the option that picks one of them.
 */
#include "model/network.h"

#include "model/options.h"
#include "model/routing.h"

#include <string.h>

static const struct mdm_network *const networks[] = {&mdm_uvit, &mdm_sit, &mdm_dit, &mdm_jit, &mdm_unet};

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

int64_t mdm_extent_kept(const struct mdm_extent *e)
{
    int64_t sum = 0;

    for (int i = 0; i < MDM_MOST_ROUTES; i++)
        sum += e->routed[i];
    return e->batch * sum;
}

int mdm_network_routing(struct mdm_routing *out, const struct mdm_network *network, const maskdm_options *options)
{
    *out = (struct mdm_routing){0};
    return network->routing ? network->routing(out, options) : MASKDM_OK;
}

int mdm_network_train(const struct mdm_network *network, const maskdm_options *options, struct mdm_extent *e)
{
    struct mdm_routing routing;

    MDM_TRY(mdm_network_routing(&routing, network, options));
    e->path_drop = routing.path_drop > 0;
    return mdm_routing_pass(&routing, options, 0, e);
}

int mdm_network_check_deep(const struct mdm_network *network, const maskdm_options *options, const char *said)
{
    struct mdm_routing routing;

    MDM_TRY(mdm_network_routing(&routing, network, options));
    if (routing.sprint)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s leaves a sprint's deep blocks out; this network %s has none", said,
                    network->name);
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
const struct mdm_option_kind mdm_network_kind = {"network", "a network of any kind", network_tables, 1, NULL};
