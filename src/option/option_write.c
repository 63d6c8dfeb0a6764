/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options as JSON. Where a run has stages, each is written with all that a stage may choose, and the rest for the
 * whole run, so that what is read back leans on no default.
 */
#include "option/option.h"

#include "option/option_set.h"
#include "text/text.h"

#include <string.h>

static void write_value(struct mdm_text *out, const struct mdm_option_slot *s)
{
    enum maskdm_option_type type = s->place.option->type;

    if (type == MASKDM_OPTION_STRING || type == MASKDM_OPTION_CHOICE)
        mdm_text_add_json_bytes(out, s->value.text);
    else if (type == MASKDM_OPTION_INT_LIST || type == MASKDM_OPTION_FLOAT_LIST)
        mdm_text_addf(out, "[%s]", s->value.text);
    else
        mdm_text_add(out, s->value.text);
}

/* Which are written. */
struct which {
    int given;          /* those alone that the caller set */
    int lasting;        /* neither what may change nor paths of what is known by its content */
    const char *except; /* NULL: none */
    enum part { ALL, OF_RUN, OF_STAGE } part;
};

static int is_written(const maskdm_options *o, const struct mdm_option_slot *s, const struct which *w)
{
    if (!s->value.text || !mdm_option_belongs(o, s) || (w->given && !s->set) ||
        (w->lasting && (s->place.option->may_change || s->place.option->by_content)) ||
        (w->except && !strcmp(w->except, s->name)))
        return 0;
    return w->part == ALL || mdm_option_is_of_stage(&s->place) == (w->part == OF_STAGE);
}

/* Members without their braces. */
static void write_members(const maskdm_options *o, struct which which, struct mdm_text *out)
{
    int first = 1;

    for (int i = 0; i < o->count; i++) {
        const struct mdm_option_slot *s = &o->slot[i];

        if (!is_written(o, s, &which))
            continue;
        mdm_text_add(out, first ? "" : ", ");
        mdm_text_add_json(out, s->name);
        mdm_text_add(out, ": ");
        write_value(out, s);
        first = 0;
    }
}

static void write_stages(const maskdm_options *o, struct mdm_text *out)
{
    mdm_text_add(out, ", \"stages\": [");
    for (int k = 0; k < o->stages && !out->failed; k++) {
        maskdm_options *stage;

        if (mdm_options_stage(&stage, o, k) < 0) {
            out->failed = 1;
            return;
        }
        mdm_text_add(out, k ? ", {" : "{");
        write_members(stage, (struct which){.part = OF_STAGE}, out);
        mdm_text_add(out, "}");
        mdm_options_release(&stage);
    }
    mdm_text_add(out, "]");
}

void mdm_options_write_json(const maskdm_options *o, struct mdm_text *out)
{
    mdm_text_add(out, "{");
    write_members(o, (struct which){.part = o->stages ? OF_RUN : ALL}, out);
    if (o->stages)
        write_stages(o, out);
    mdm_text_add(out, "}");
}

void mdm_options_write_json_given(const maskdm_options *o, struct mdm_text *out)
{
    mdm_text_add(out, "{");
    write_members(o, (struct which){.given = 1}, out);
    mdm_text_add(out, "}");
}

void mdm_options_write_json_lasting(const maskdm_options *o, const char *except, struct mdm_text *out)
{
    mdm_text_add(out, "{");
    write_members(o, (struct which){.lasting = 1, .except = except}, out);
    mdm_text_add(out, "}");
}

void mdm_options_list_stage(const maskdm_options *o, int i, struct mdm_text *out)
{
    const maskdm_options *stage = o->stage[i];

    for (int k = 0, first = 1; k < stage->count; k++) {
        const struct mdm_option_slot *s = &stage->slot[k];

        if (!s->set || !s->value.text)
            continue;
        mdm_text_addf(out, "%s%s %s", first ? "" : ", ", s->name, s->value.text);
        first = 0;
    }
}
