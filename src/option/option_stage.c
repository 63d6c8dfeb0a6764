/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stages of a run: handles beside the run's own, in which is set what a stage says of itself. What it does not say it
 * has from the run.
 */
#include "option/option_set.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/text.h"

#include <string.h>

enum { STAGES_MOST = 256 };

/* Or NULL: the kind has none. */
static const char *stage_tables(const struct mdm_option_kind *kind)
{
    for (int t = 0; t < kind->count; t++)
        for (int i = 0; i < kind->table[t]->count; i++)
            if (kind->table[t]->option[i].stage_tables)
                return kind->table[t]->option[i].stage_tables;
    return NULL;
}

int mdm_option_has_stages(const struct mdm_option_kind *kind)
{
    return stage_tables(kind) != NULL;
}

int mdm_option_is_of_stage(const struct mdm_option_place *p)
{
    const char *tables = stage_tables(p->kind);

    if (p->option->in_stage || p->option->training_only)
        return p->option->in_stage >= 0;
    return tables && mdm_option_among(tables, p->table->name) >= 0;
}

int mdm_option_refuse_stage(const struct mdm_option_slot *slot)
{
    return mdm_fail(MASKDM_EINVAL, "option %s is of the whole run, not of a stage", slot->said);
}

int mdm_options_stages(const maskdm_options *o)
{
    return o->stages;
}

int mdm_option_new_stage(maskdm_options **out, maskdm_options *o)
{
    maskdm_options **grown;

    if (!mdm_option_has_stages(o->kind))
        return mdm_fail(MASKDM_EINVAL, "%s has no stages", o->kind->name);
    if (o->stages == STAGES_MOST)
        return mdm_fail(MASKDM_EINVAL, "more than %d stages", STAGES_MOST);
    grown = mdm_realloc(o->stage, (size_t)(o->stages + 1) * sizeof *grown);
    if (!grown)
        return mdm_fail_memory((size_t)(o->stages + 1) * sizeof *grown, "stages");
    o->stage = grown;
    MDM_TRY(mdm_options_create(out, o->kind));
    mdm_options_spell(*out, o->spelling);
    o->stage[o->stages++] = *out;
    return MASKDM_OK;
}

/* ---- one stage's options ---- */

int mdm_option_set_over(maskdm_options *to, const maskdm_options *from)
{
    for (int i = 0; i < from->count; i++) {
        const struct mdm_option_slot *s = &from->slot[i];

        if (s->set && s->value.text)
            MDM_TRY(mdm_options_set(to, s->name, s->value.text));
    }
    return MASKDM_OK;
}

/* What is said for the whole run holds where it belongs. */
static int leave_out(maskdm_options *to, const maskdm_options *stage)
{
    for (int i = 0; i < to->count; i++) {
        struct mdm_option_slot *s = &to->slot[i];

        if (s->set && !stage->slot[i].set && mdm_option_is_of_stage(&s->place) && !mdm_option_belongs(to, s))
            MDM_TRY(mdm_option_refill(to, s));
    }
    return MASKDM_OK;
}

/* With `all`, what does not belong stays, for whoever wants to hear why. */
static int make_stage(maskdm_options **out, const maskdm_options *o, int i, int all)
{
    maskdm_options *made;
    int status;

    *out = NULL;
    MDM_TRY(mdm_options_clone(&made, o));
    for (int k = 0; k < made->stages; k++)
        mdm_options_release(&made->stage[k]);
    made->stages = 0;
    status = o->stages ? mdm_option_set_over(made, o->stage[i]) : MASKDM_OK;
    if (status >= 0 && o->stages && !all)
        status = leave_out(made, o->stage[i]);
    if (status < 0)
        mdm_options_release(&made);
    *out = made;
    return status;
}

int mdm_options_stage(maskdm_options **out, const maskdm_options *o, int i)
{
    return make_stage(out, o, i, 0);
}

int mdm_options_follow_stage(maskdm_options *part, const maskdm_options *stage, int *changed)
{
    *changed = 0;
    for (int i = 0; i < part->count; i++) {
        struct mdm_option_slot *ours = &part->slot[i];
        const struct mdm_option_place *p = &ours->place;
        const struct mdm_option_slot *theirs = mdm_option_in_table(stage, p->table->name, p->option->name);
        const char *was = ours->value.text ? ours->value.text : "";

        if (!theirs || !mdm_option_is_of_stage(&theirs->place) ||
            !strcmp(was, theirs->value.text ? theirs->value.text : ""))
            continue;
        *changed = 1;
        if (theirs->value.text)
            MDM_TRY(mdm_options_set(part, ours->name, theirs->value.text));
        else
            MDM_TRY(mdm_option_refill(part, ours));
    }
    return MASKDM_OK;
}

/* ---- judging the list ---- */

/* A value for the whole run that no stage is left to have. */
static int check_overruled(const maskdm_options *o, int i)
{
    const struct mdm_option_slot *s = &o->slot[i];
    struct mdm_text values = {0};
    int differ = 0, status;

    for (int k = 0; k < o->stages; k++) {
        const struct mdm_option_slot *own = &o->stage[k]->slot[i];

        if (!own->set) {
            mdm_text_free(&values);
            return MASKDM_OK;
        }
        mdm_text_addf(&values, "%s%s", k ? ", " : "", own->value.text ? own->value.text : "none");
        differ |= !own->value.text || strcmp(own->value.text, s->value.text) != 0;
    }
    status = mdm_text_ok(&values);
    if (status >= 0 && differ)
        status = mdm_fail(MASKDM_EINVAL, "%s is %s, and every stage has its own: %.200s", s->said, s->value.text,
                          values.data);
    mdm_text_free(&values);
    return status;
}

/* What the whole run says and what belongs to no stage is refused as it is without stages. `used`: of each option,
 * whether a stage has it. */
static int check_used(const maskdm_options *o, const unsigned char *used)
{
    for (int i = 0; i < o->count; i++) {
        maskdm_options *all;
        int status;

        if (!o->slot[i].set || used[i])
            continue;
        MDM_TRY(make_stage(&all, o, 0, 1));
        status = mdm_option_check_flat(all);
        mdm_options_release(&all);
        MDM_TRY(status);
    }
    return MASKDM_OK;
}

static int check_stage(const maskdm_options *o, int k, unsigned char *used)
{
    maskdm_options *stage;
    int status = make_stage(&stage, o, k, 0);

    if (status >= 0)
        status = mdm_option_check_flat(stage);
    for (int i = 0; status >= 0 && i < o->count; i++)
        used[i] |= stage->slot[i].set != 0;
    mdm_options_release(&stage);
    return status == MASKDM_ENOMEM || status >= 0 ? status : mdm_fail_prefix(status, "stage %d", k + 1);
}

/* What is no stage's, by itself. */
static int check_run(const maskdm_options *o)
{
    maskdm_options *run;
    int status;

    MDM_TRY(mdm_options_clone(&run, o));
    status = MASKDM_OK;
    for (int i = 0; i < run->count && status >= 0; i++)
        if (mdm_option_is_of_stage(&run->slot[i].place))
            status = mdm_option_refill(run, &run->slot[i]);
    if (status >= 0)
        status = mdm_option_check_flat(run);
    mdm_options_release(&run);
    return status;
}

int mdm_options_check(const maskdm_options *o)
{
    unsigned char *used;
    int status = MASKDM_OK;

    if (!o->stages)
        return mdm_option_check_flat(o);
    MDM_TRY(check_run(o));
    used = mdm_need((size_t)o->count, 1, "stages");
    if (!used)
        return MASKDM_ENOMEM;
    for (int i = 0; i < o->count && status >= 0; i++)
        if (o->slot[i].set && o->slot[i].value.text)
            status = check_overruled(o, i);
    for (int k = 0; k < o->stages && status >= 0; k++)
        status = check_stage(o, k, used);
    if (status >= 0)
        status = check_used(o, used);
    mdm_free(used);
    return status;
}
