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

/* ---- one slot ---- */

int mdm_option_reset(maskdm_options *o, struct mdm_option_slot *slot)
{
    MDM_TRY(mdm_option_refill(o, slot));
    MDM_TRY(mdm_option_give_way(o, slot));
    return mdm_option_follow(o, slot);
}

static int put(maskdm_options *o, struct mdm_option_slot *slot, const char *text)
{
    struct mdm_option_value value;

    MDM_TRY(mdm_option_parse(&value, slot->said, slot->place.option, text));
    mdm_option_free(&slot->value);
    slot->value = value;
    slot->set = 1;
    MDM_TRY(mdm_option_give_way(o, slot));
    return mdm_option_follow(o, slot);
}

static int copy_value(struct mdm_option_slot *to, const struct mdm_option_slot *from)
{
    MDM_TRY(mdm_option_copy(&to->value, &from->value));
    to->set = from->set;
    memcpy(to->said, from->said, sizeof to->said);
    return MASKDM_OK;
}

/* ---- the handle ---- */

static void destroy(void *object)
{
    maskdm_options *o = object;

    for (int i = 0; i < o->count; i++)
        mdm_option_free(&o->slot[i].value);
    for (int i = 0; i < o->stages; i++)
        mdm_options_release(&o->stage[i]);
    mdm_free(o->stage);
    mdm_free(o);
}

static const struct mdm_handle_kind handle_kind = {"options", destroy};

static maskdm_options *make(const struct mdm_option_kind *kind)
{
    const size_t count = (size_t)mdm_option_places(NULL, 0, kind);
    struct mdm_option_place *place = mdm_need(count, sizeof *place, "options");
    maskdm_options *o = place ? mdm_need(1, sizeof *o + count * sizeof *o->slot, "options") : NULL;

    if (!o) {
        mdm_free(place);
        return NULL;
    }
    mdm_handle_init(&o->handle, &handle_kind);
    o->kind = kind;
    o->count = (int)mdm_option_places(place, (int64_t)count, kind);
    for (int i = 0; i < o->count; i++) {
        struct mdm_option_slot *s = &o->slot[i];

        s->place = place[i];
        mdm_option_name(s->name, kind, s->place.table, s->place.option);
        mdm_option_spell(s, MASKDM_SPELL_NAMES);
    }
    mdm_free(place);
    return o;
}

int mdm_options_create(maskdm_options **out, const struct mdm_option_kind *kind)
{
    maskdm_options *o = make(kind);
    int status = o ? MASKDM_OK : MASKDM_ENOMEM;

    for (int i = 0; status >= 0 && i < o->count; i++)
        status = mdm_option_reset(o, &o->slot[i]);
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

static int clone_stages(maskdm_options *to, const maskdm_options *from)
{
    to->stage = from->stages ? mdm_need((size_t)from->stages, sizeof *to->stage, "stages") : NULL;
    if (from->stages && !to->stage)
        return MASKDM_ENOMEM;
    for (; to->stages < from->stages; to->stages++)
        MDM_TRY(mdm_options_clone(&to->stage[to->stages], from->stage[to->stages]));
    return MASKDM_OK;
}

int mdm_options_clone(maskdm_options **out, const maskdm_options *from)
{
    maskdm_options *o = make(from->kind);
    int status = o ? MASKDM_OK : MASKDM_ENOMEM;

    if (o)
        o->spelling = from->spelling;
    for (int i = 0; status >= 0 && i < o->count; i++) {
        o->slot[i].place = from->slot[i].place;
        status = copy_value(&o->slot[i], &from->slot[i]);
    }
    if (status >= 0)
        status = clone_stages(o, from);
    if (status < 0)
        mdm_options_release(&o);
    *out = o;
    return status;
}

int mdm_options_replace(maskdm_options *o, maskdm_options **copy, int status)
{
    for (int i = 0; status >= 0 && i < o->count; i++) {
        struct mdm_option_slot *s = &o->slot[i], *c = &(*copy)->slot[i], old = *s;
        const int same = s->value.text && c->value.text && !strcmp(s->value.text, c->value.text);

        *s = *c;
        *c = old;
        if (same) { /* whoever reads the old one may go on */
            c->value = s->value;
            s->value = old.value;
        }
    }
    if (status >= 0) {
        maskdm_options **stage = o->stage;
        const int stages = o->stages;

        o->stage = (*copy)->stage;
        o->stages = (*copy)->stages;
        (*copy)->stage = stage;
        (*copy)->stages = stages;
    }
    mdm_options_release(copy);
    return status;
}

/* ---- a table out of a composite ---- */

static int copy_table(maskdm_options *to, const maskdm_options *from)
{
    int found = 0;

    to->spelling = from->spelling;
    for (int i = 0; i < to->count; i++) {
        struct mdm_option_slot *s = &to->slot[i];
        const struct mdm_option_slot *given = mdm_option_in_table(from, s->place.table->name, s->place.option->name);

        if (!given)
            continue;
        found = 1;
        MDM_TRY(copy_value(s, given));
        MDM_TRY(mdm_option_follow(to, s));
    }
    return found ? mdm_option_check_flat(to) : mdm_option_refuse_kind(to->kind, from);
}

int mdm_options_extract(maskdm_options **out, const maskdm_options *from, const struct mdm_option_kind *kind)
{
    maskdm_options *o;
    int status;

    *out = NULL;
    MDM_TRY(mdm_options_create(&o, kind));
    status = from ? copy_table(o, from) : mdm_option_check_flat(o);
    if (status < 0)
        mdm_options_release(&o);
    *out = o;
    return status;
}

const struct mdm_option_kind *mdm_options_kind(const maskdm_options *o)
{
    return o->kind;
}

/* ---- setting ---- */

int mdm_options_set(maskdm_options *o, const char *name, const char *value)
{
    struct mdm_option_slot *s;
    maskdm_options *copy;

    MDM_TRY(mdm_option_need(&s, o, name));
    if (!s->place.option->among)
        return put(o, s, value);
    MDM_TRY(mdm_options_clone(&copy, o)); /* others follow, or none */
    return mdm_options_replace(o, &copy, put(copy, &copy->slot[s - o->slot], value));
}

int mdm_options_set_number(maskdm_options *o, const char *name, const char *value)
{
    struct mdm_option_slot *s;

    MDM_TRY(mdm_option_need(&s, o, name));
    if (s->place.option->type == MASKDM_OPTION_STRING || s->place.option->type == MASKDM_OPTION_CHOICE)
        return mdm_fail(MASKDM_EINVAL, "option %s takes a text, not the number %s", s->said, value);
    return mdm_options_set(o, name, value);
}

int mdm_options_set_int(maskdm_options *o, const char *name, int64_t value)
{
    char text[24];

    mdm_format(text, sizeof text, "%lld", (long long)value);
    return mdm_options_set_number(o, name, text);
}

int mdm_options_follow(maskdm_options *o, const maskdm_options *part, const char **name)
{
    *name = NULL;
    for (int i = 0; i < part->count; i++) {
        const struct mdm_option_slot *theirs = &part->slot[i];
        const struct mdm_option_place *p = &theirs->place;
        const struct mdm_option_slot *ours = mdm_option_in_table(o, p->table->name, p->option->name);

        if (!ours || !theirs->value.text || !mdm_option_belongs(part, theirs) ||
            (ours->value.text && !strcmp(ours->value.text, theirs->value.text)))
            continue;
        if (ours->set && p->option->training_only)
            continue;
        if (ours->set) {
            *name = ours->name;
            return MASKDM_OK;
        }
        MDM_TRY(mdm_options_set(o, ours->name, theirs->value.text));
    }
    return MASKDM_OK;
}

int mdm_options_complete(maskdm_options *o, const maskdm_options *part)
{
    for (int i = 0; i < part->count; i++) {
        const struct mdm_option_slot *theirs = &part->slot[i];
        const struct mdm_option_place *p = &theirs->place;
        const struct mdm_option_slot *ours = mdm_option_in_table(o, p->table->name, p->option->name);
        int has_effect;

        if (!theirs->set || !theirs->value.text || !ours || ours->set)
            continue;
        MDM_TRY(mdm_option_has_effect(&has_effect, o, ours));
        if (has_effect)
            MDM_TRY(mdm_options_set(o, ours->name, theirs->value.text));
    }
    return MASKDM_OK;
}
