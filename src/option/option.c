/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options handle: one slot per option of all tables of its kind, in their order.
 */
#include "option/option.h"

#include "base/alloc.h"
#include "base/error.h"
#include "option/option_set.h"

#include <stdlib.h>
#include <string.h>

const struct mdm_option *mdm_option_at(const struct mdm_option_kind *kind, int64_t i,
                                       const struct mdm_option_table **table)
{
    for (int t = 0; t < kind->count && i >= 0; t++) {
        *table = kind->table[t];
        if (i < (*table)->count)
            return &(*table)->option[i];
        i -= (*table)->count;
    }
    return NULL;
}

int mdm_option_reset(struct mdm_option_slot *slot)
{
    char *value = NULL;

    if (slot->option->standard)
        MDM_TRY(mdm_option_canonical(&value, slot->said, slot->option, slot->option->standard));
    mdm_free(slot->value);
    slot->value = value;
    slot->set = 0;
    return MASKDM_OK;
}

static void destroy(void *object)
{
    maskdm_options *o = object;

    for (int i = 0; i < o->count; i++)
        mdm_free(o->slot[i].value);
    mdm_free(o);
}

static const struct mdm_handle_kind handle_kind = {"options", destroy};

static maskdm_options *make(const struct mdm_option_kind *kind)
{
    int count = 0;
    maskdm_options *o;

    for (int t = 0; t < kind->count; t++)
        count += kind->table[t]->count;
    o = mdm_need(1, sizeof *o + (size_t)count * sizeof *o->slot, "options");
    if (!o)
        return NULL;
    mdm_handle_init(&o->handle, &handle_kind);
    o->kind = kind;
    o->count = count;
    for (int i = 0; i < count; i++) {
        struct mdm_option_slot *s = &o->slot[i];

        s->option = mdm_option_at(kind, i, &s->table);
        mdm_option_name(s->name, kind, s->table, s->option);
        mdm_option_spell(s, MASKDM_SPELL_NAMES);
    }
    return o;
}

int mdm_options_create(maskdm_options **out, const struct mdm_option_kind *kind)
{
    maskdm_options *o = make(kind);
    int status = o ? MASKDM_OK : MASKDM_ENOMEM;

    for (int i = 0; status >= 0 && i < o->count; i++)
        status = mdm_option_reset(&o->slot[i]);
    if (status < 0)
        mdm_options_release(&o);
    *out = o;
    return status;
}

void mdm_options_release(maskdm_options **options)
{
    maskdm_options *o = *options;

    *options = NULL;
    if (o)
        mdm_handle_drop(&o->handle);
}

struct mdm_handle *mdm_options_handle(const maskdm_options *o)
{
    return o ? &((maskdm_options *)o)->handle : NULL;
}

static int copy_value(struct mdm_option_slot *to, const struct mdm_option_slot *from)
{
    char *value = from->value ? mdm_strdup(from->value) : NULL;

    if (from->value && !value)
        return mdm_fail_memory(strlen(from->value) + 1, "options");
    mdm_free(to->value);
    to->value = value;
    to->set = from->set;
    memcpy(to->said, from->said, sizeof to->said);
    return MASKDM_OK;
}

int mdm_options_clone(maskdm_options **out, const maskdm_options *from)
{
    maskdm_options *o = make(from->kind);
    int status = o ? MASKDM_OK : MASKDM_ENOMEM;

    if (o)
        o->spelling = from->spelling;
    for (int i = 0; status >= 0 && i < o->count; i++)
        status = copy_value(&o->slot[i], &from->slot[i]);
    if (status < 0)
        mdm_options_release(&o);
    *out = o;
    return status;
}

static const struct mdm_option_slot *find_in_table(const maskdm_options *o, const char *table, const char *name)
{
    for (int i = 0; i < o->count; i++)
        if (!strcmp(o->slot[i].table->name, table) && !strcmp(o->slot[i].option->name, name))
            return &o->slot[i];
    return NULL;
}

static int copy_table(maskdm_options *to, const maskdm_options *from)
{
    const char *table = to->kind->table[0]->name;
    int found = 0;

    to->spelling = from->spelling;
    for (int i = 0; i < to->count; i++) {
        const struct mdm_option_slot *s = find_in_table(from, table, to->slot[i].name);

        if (!s)
            continue;
        found = 1;
        MDM_TRY(copy_value(&to->slot[i], s));
    }
    if (!found)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s are needed, not of kind %s", to->kind->name,
                        from->kind->name);
    return mdm_options_check(to);
}

int mdm_options_extract(maskdm_options **out, const maskdm_options *from, const struct mdm_option_kind *kind)
{
    maskdm_options *o;
    int status;

    *out = NULL;
    MDM_TRY(mdm_options_create(&o, kind));
    status = from ? copy_table(o, from) : mdm_options_check(o);
    if (status < 0)
        mdm_options_release(&o);
    *out = o;
    return status;
}

const struct mdm_option_kind *mdm_options_kind(const maskdm_options *o)
{
    return o->kind;
}

int mdm_options_set(maskdm_options *o, const char *name, const char *value)
{
    struct mdm_option_slot *s;
    char *canonical;

    MDM_TRY(mdm_option_need(&s, o, name));
    MDM_TRY(mdm_option_canonical(&canonical, s->said, s->option, value));
    mdm_free(s->value);
    s->value = canonical;
    s->set = 1;
    return MASKDM_OK;
}

int mdm_options_set_number(maskdm_options *o, const char *name, const char *value)
{
    struct mdm_option_slot *s;

    MDM_TRY(mdm_option_need(&s, o, name));
    if (s->option->type == MASKDM_OPTION_STRING || s->option->type == MASKDM_OPTION_CHOICE)
        return mdm_fail(MASKDM_EINVAL, "option %s takes a text, not the number %s", s->said, value);
    return mdm_options_set(o, name, value);
}

static const struct mdm_option_slot *selector_of(const maskdm_options *o, const struct mdm_option_slot *slot)
{
    return find_in_table(o, slot->table->name, slot->table->option[0].name);
}

int mdm_option_belongs(const maskdm_options *o, const struct mdm_option_slot *slot)
{
    const struct mdm_option_slot *selector = slot->option->when ? selector_of(o, slot) : NULL;

    return !selector || (selector->value && mdm_option_choice(slot->option->when, selector->value));
}

int mdm_options_check(const maskdm_options *o)
{
    for (int i = 0; i < o->count; i++) {
        const struct mdm_option_slot *s = &o->slot[i], *selector;
        int belongs = mdm_option_belongs(o, s);

        if (s->set && !belongs) {
            selector = selector_of(o, s);
            return mdm_fail(MASKDM_EINVAL, "option %s belongs to %s=%s, but %s is %s", s->said, selector->said,
                            s->option->when, selector->said, selector->value ? selector->value : "not given");
        }
        if (s->option->required && belongs && (!s->value || !*s->value))
            return mdm_fail(MASKDM_EINVAL, "option %s must be given", s->said);
    }
    return MASKDM_OK;
}
