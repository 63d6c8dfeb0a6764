/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Defaults: a row's own, or what the kind has in its place.
 */
#include "option/option_set.h"

#include <string.h>

const struct mdm_option_default *mdm_option_kinds_own(const struct mdm_option_place *p,
                                                      const struct mdm_option_default *behind)
{
    const struct mdm_option_default *d = behind ? behind + 1 : p->kind->standard;
    char name[MDM_OPTION_NAME];

    if (!d)
        return NULL;
    mdm_option_name(name, p->kind, p->table, p->option);
    while (d->name && strcmp(d->name, name) != 0)
        d++;
    return d->name ? d : NULL;
}

/* Whether one of `unless` is this option and, with the value that may stand there, has it. */
static int names(const char *unless, const struct mdm_option_slot *slot, int whatever)
{
    char name[MDM_OPTION_NAME];
    const char *value;

    while (unless) {
        unless = mdm_option_next(name, &value, unless);
        if (!strcmp(name, slot->name) && (whatever || !value || !strcmp(slot->value.text, value)))
            return 1;
    }
    return 0;
}

static int gives_way(const maskdm_options *o, const struct mdm_option_default *own)
{
    for (int i = 0; own->unless && i < o->count; i++)
        if (o->slot[i].set && names(own->unless, &o->slot[i], 0))
            return 1;
    return 0;
}

const char *mdm_option_standard(const maskdm_options *o, const struct mdm_option_slot *slot)
{
    const struct mdm_option_default *own = mdm_option_kinds_own(&slot->place, NULL);

    while (own && gives_way(o, own))
        own = mdm_option_kinds_own(&slot->place, own);
    return own ? own->standard : slot->place.option->standard;
}

int mdm_option_refill(const maskdm_options *o, struct mdm_option_slot *slot)
{
    const char *standard = mdm_option_standard(o, slot);
    struct mdm_option_value value = {0};

    if (standard)
        MDM_TRY(mdm_option_parse(&value, slot->said, slot->place.option, standard));
    mdm_option_free(&slot->value);
    slot->value = value;
    slot->set = 0;
    return MASKDM_OK;
}

int mdm_option_give_way(maskdm_options *o, const struct mdm_option_slot *slot)
{
    for (const struct mdm_option_default *d = o->kind->standard; d && d->name; d++) {
        struct mdm_option_slot *s =
            d->unless && names(d->unless, slot, 1) ? mdm_option_find(o, d->name) : NULL;

        if (s && !s->set)
            MDM_TRY(mdm_option_refill(o, s));
    }
    return MASKDM_OK;
}
