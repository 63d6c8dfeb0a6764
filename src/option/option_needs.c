/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options that do something only beside others: each row says beside which (`needs`).
 */
#include "option/option_set.h"

#include "base/error.h"

#include <string.h>

static const char *text_of(const struct mdm_option_slot *s)
{
    return s->value.text ? s->value.text : "";
}

/* Whether it says nothing: a record of options has all of them, most at their defaults. */
static int at_default(int *is, const maskdm_options *o, const struct mdm_option_slot *s)
{
    const char *standard = mdm_option_standard(o, s);
    struct mdm_option_value value = {0};

    if (s->set && standard)
        MDM_TRY(mdm_option_parse(&value, s->said, s->place.option, standard));
    *is = !s->set || !strcmp(text_of(s), value.text ? value.text : "");
    mdm_option_free(&value);
    return MASKDM_OK;
}

/* One of the alternatives of `needs`: "clip=true", "guidance". */
struct need {
    char name[MDM_OPTION_NAME];
    const char *value;                  /* which that option must have, or NULL: any but its default */
    const struct mdm_option_slot *slot; /* NULL: the kind has no such option */
};

static const char *read_need(struct need *out, const maskdm_options *o, const struct mdm_option_slot *s,
                             const char *at)
{
    const char *rest = mdm_option_next(out->name, &out->value, at);

    out->slot = mdm_option_in_table(o, s->place.table->name, out->name);
    if (!out->slot)
        out->slot = mdm_option_find(o, out->name);
    return rest;
}

static int is_met(int *met, const maskdm_options *o, const struct need *need)
{
    int plain;

    *met = !need->slot || (need->value && !strcmp(text_of(need->slot), need->value));
    if (*met || need->value)
        return MASKDM_OK;
    MDM_TRY(at_default(&plain, o, need->slot));
    *met = !plain;
    return MASKDM_OK;
}

int mdm_option_has_effect(int *has, const maskdm_options *o, const struct mdm_option_slot *s)
{
    const char *at = s->place.option->needs;

    for (*has = !at; at && !*has;) {
        struct need need;

        at = read_need(&need, o, s, at);
        MDM_TRY(is_met(has, o, &need));
    }
    return MASKDM_OK;
}

static int refuse(const maskdm_options *o, const struct mdm_option_slot *s)
{
    const char *at = s->place.option->needs, *is = "";
    struct mdm_text needs = {0};
    struct need need;
    int status;

    while (at) {
        at = read_need(&need, o, s, at);
        mdm_text_addf(&needs, "%s%s%s%s", needs.length ? " or " : "", need.slot->said, need.value ? " " : "",
                      need.value ? need.value : "");
        is = text_of(need.slot);
    }
    status = mdm_text_ok(&needs);
    if (status == MASKDM_OK)
        status = mdm_fail(MASKDM_EINVAL, "%s goes with %s, which is %s", s->said, needs.data, *is ? is : "not given");
    mdm_text_free(&needs);
    return status;
}

int mdm_options_check_needs(const maskdm_options *o, const struct mdm_option_table *table)
{
    for (int i = 0; i < o->count; i++) {
        const struct mdm_option_slot *s = &o->slot[i];
        int plain, has;

        if (!s->place.option->needs || (table && strcmp(s->place.table->name, table->name) != 0))
            continue;
        MDM_TRY(at_default(&plain, o, s));
        MDM_TRY(mdm_option_has_effect(&has, o, s));
        if (!plain && !has)
            return refuse(o, s);
    }
    return MASKDM_OK;
}
