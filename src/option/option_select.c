/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selectors: which options belong to what they stand at, and which of several tables an option is of.
 */
#include "option/option_set.h"

#include "base/error.h"
#include "text/text.h"

#include <string.h>

static const struct mdm_option_table *picked(const struct mdm_option_slot *chooser)
{
    return chooser->place.option->among((int)chooser->value.number.whole);
}

int mdm_option_follow(maskdm_options *o, const struct mdm_option_slot *chooser)
{
    const struct mdm_option_table *table = chooser->place.option->among ? picked(chooser) : NULL;

    for (int i = 0; table && i < o->count; i++) {
        struct mdm_option_slot *s = &o->slot[i];
        const struct mdm_option *row = mdm_option_row(table, s->place.option->name);

        if (s->place.chooser != chooser->place.table || !row || table == s->place.table)
            continue;
        s->place.option = row;
        s->place.table = table;
        if (!s->set)
            MDM_TRY(mdm_option_refill(o, s));
    }
    return MASKDM_OK;
}

static const struct mdm_option_slot *first_of(const maskdm_options *o, const struct mdm_option_table *table)
{
    for (int i = 0; i < o->count; i++)
        if (o->slot[i].place.table == table && o->slot[i].place.option == table->option)
            return &o->slot[i];
    return NULL;
}

/* The selector that does not stand at what this option belongs to, or NULL. */
static const struct mdm_option_slot *selector_against(const maskdm_options *o, const struct mdm_option_slot *slot)
{
    const struct mdm_option_place *p = &slot->place;
    const struct mdm_option_slot *selector = p->chooser ? first_of(o, p->chooser) : NULL;

    if (selector && picked(selector) != p->table)
        return selector;
    selector = p->option->when ? first_of(o, p->table) : NULL;
    if (!selector || (selector->value.text && mdm_option_among(p->option->when, selector->value.text) >= 0))
        return NULL;
    return selector;
}

int mdm_option_belongs(const maskdm_options *o, const struct mdm_option_slot *slot)
{
    return !selector_against(o, slot);
}

int mdm_options_belongs(const maskdm_options *o, const char *name)
{
    const struct mdm_option_slot *s = mdm_option_find(o, name);

    return s && mdm_option_belongs(o, s);
}

static int refuse(const struct mdm_option_slot *slot, const struct mdm_option_slot *selector)
{
    struct mdm_text choices = {0};
    int status;

    if (selector->place.table == slot->place.chooser)
        mdm_option_owners(&choices, &slot->place);
    else
        mdm_text_add(&choices, slot->place.option->when);
    status = mdm_text_ok(&choices);
    if (status >= 0)
        status = mdm_fail(MASKDM_EINVAL, "option %s belongs to %s=%s, but %s is %s", slot->said, selector->said,
                          choices.data, selector->said, selector->value.text ? selector->value.text : "not given");
    mdm_text_free(&choices);
    return status;
}

int mdm_option_check_flat(const maskdm_options *o)
{
    for (int i = 0; i < o->count; i++) {
        const struct mdm_option_slot *s = &o->slot[i], *against = selector_against(o, s);

        if (s->set && against)
            return refuse(s, against);
        if (s->place.option->required && !against && (!s->value.text || !*s->value.text))
            return mdm_fail(MASKDM_EINVAL, "option %s must be given", s->said);
    }
    return MASKDM_OK;
}

const struct mdm_option_slot *mdm_option_in_table(const maskdm_options *o, const char *table, const char *name)
{
    for (int i = 0; i < o->count; i++) {
        const struct mdm_option_place *p = &o->slot[i].place;

        if (!strcmp(p->table->name, table) && !strcmp(p->option->name, name) &&
            (!p->chooser || picked(first_of(o, p->chooser)) == p->table))
            return &o->slot[i];
    }
    return NULL;
}

int mdm_option_refuse_kind(const struct mdm_option_kind *needed, const maskdm_options *given)
{
    for (int i = 0; i < given->count; i++) {
        const struct mdm_option_slot *s = &given->slot[i];

        if (s->place.chooser && !strcmp(s->place.table->name, needed->table[0]->name)) {
            s = first_of(given, s->place.chooser);
            return mdm_fail(MASKDM_EINVAL, "options of kind %s are needed, not of kind %s with %s=%s", needed->name,
                            given->kind->name, s->said, s->value.text);
        }
    }
    return mdm_fail(MASKDM_EINVAL, "options of kind %s are needed, not of kind %s", needed->name, given->kind->name);
}
