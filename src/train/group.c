/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters that are optimized apart from the others: rules of the host, by names, the newest first. A run is what
 * one job of the backend takes: neighbours that no rule, or the same one, speaks of.
 */
#include "train/optimizer.h"

#include "base/error.h"
#include "text/pattern.h"

#include <string.h>

static int matches(const char *pattern, const char *name)
{
    return mdm_pattern_matches(pattern, strlen(pattern), name);
}

const struct mdm_group *mdm_optimizer_group_of(const maskdm_optimizer *o, const char *name)
{
    for (int i = o->host.groups; i-- > 0;)
        if (matches(o->host.group[i].pattern, name))
            return &o->host.group[i];
    return NULL;
}

int mdm_optimizer_takes(const maskdm_optimizer *o, const struct mdm_param *p)
{
    const struct mdm_group *group;

    if (!o->kind->takes || p->frozen || !o->kind->takes(p))
        return 0;
    group = mdm_optimizer_group_of(o, p->name);
    return !group || group->lr_factor > 0;
}

/* Parameter i is in no run. */
static int is_left_out(const maskdm_optimizer *o, const struct mdm_run_of *run, int i)
{
    const struct mdm_param *p = &o->layout->list[i];

    return p->frozen || (run->adamw && mdm_optimizer_takes(o, p));
}

/* Parameter i belongs to this run. */
static int belongs(const maskdm_optimizer *o, const struct mdm_run_of *run, int i)
{
    return !is_left_out(o, run, i) && mdm_optimizer_group_of(o, o->layout->list[i].name) == run->group;
}

int mdm_optimizer_run(const maskdm_optimizer *o, struct mdm_run_of *run)
{
    const struct mdm_params *l = o->layout;
    int i = 0;

    if (!o->host.groups && !(run->adamw && o->kind->takes)) {
        run->group = NULL;
        return mdm_params_trained(l, &run->end, &run->from);
    }
    while (i < l->count && (l->list[i].at < run->end || is_left_out(o, run, i)))
        i++;
    if (i == l->count)
        return 0;
    run->from = l->list[i].at;
    run->group = mdm_optimizer_group_of(o, l->list[i].name);
    while (i < l->count && belongs(o, run, i))
        i++;
    run->end = i < l->count ? l->list[i].at : l->length;
    return 1;
}

static int is_one_of(const struct mdm_params *l, const char *pattern)
{
    for (int i = 0; i < l->count; i++)
        if (matches(pattern, l->list[i].name))
            return 1;
    return 0;
}

int mdm_optimizer_set_group(maskdm_optimizer *o, const char *pattern, double lr_factor, double weight_decay)
{
    if (o->layout && !is_one_of(o->layout, pattern))
        return mdm_fail(MASKDM_ENOTFOUND, "group \"%s\": none of the %d parameters has such a name", pattern,
                        o->layout->count);
    return mdm_host_rules_add(&o->host, pattern, lr_factor, weight_decay);
}
