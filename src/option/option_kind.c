/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a kind holds: its options in order, and facts about them.
 */
#include "option/option_set.h"

#include "base/error.h"

#include <string.h>

const struct mdm_option *mdm_option_row(const struct mdm_option_table *table, const char *name)
{
    for (int i = 0; i < table->count; i++)
        if (*table->option[i].name == *name && !strcmp(table->option[i].name, name))
            return &table->option[i];
    return NULL;
}

/* The n-th of the tables that `chooser` picks among and that have an option of this name, or NULL. */
static const struct mdm_option_table *owner(const struct mdm_option_table *chooser, const char *name, int n)
{
    const struct mdm_option_table *table;

    for (int c = 0; (table = chooser->option->among(c)); c++)
        if (mdm_option_row(table, name) && !n--)
            return table;
    return NULL;
}

void mdm_option_owners(struct mdm_text *t, const struct mdm_option_place *p)
{
    const struct mdm_option_table *table;

    for (int n = 0; (table = owner(p->chooser, p->option->name, n)); n++)
        mdm_text_addf(t, "%s%s", n ? "|" : "", table->name);
}

/* Options of a kind in order, of which those from `skip` on go to `out` as far as there is room. */
struct list {
    struct mdm_option_place *out;
    int64_t skip, room, count;
};

static void add_place(struct list *l, struct mdm_option_place place)
{
    const int64_t at = l->count++ - l->skip;

    if (at >= 0 && at < l->room)
        l->out[at] = place;
}

/* Those that several of a chooser's tables have, or one alone, each at its first table. */
static void add_choices(struct list *l, const struct mdm_option_kind *kind, const struct mdm_option_table *chooser,
                        int several)
{
    const struct mdm_option_table *table;

    for (int c = 0; (table = chooser->option->among(c)); c++)
        for (int r = 0; r < table->count; r++) {
            const char *name = table->option[r].name;

            if (owner(chooser, name, 0) == table && (owner(chooser, name, 1) != NULL) == several)
                add_place(l, (struct mdm_option_place){kind, &table->option[r], table, chooser});
        }
}

static int64_t list_places(struct list *l, const struct mdm_option_kind *kind)
{
    for (int t = 0; t < kind->count; t++) {
        const struct mdm_option_table *table = kind->table[t];

        for (int i = 0; i < table->count; i++)
            add_place(l, (struct mdm_option_place){kind, &table->option[i], table, NULL});
        if (table->option->among) {
            add_choices(l, kind, table, 1);
            add_choices(l, kind, table, 0);
        }
    }
    return l->count;
}

int64_t mdm_option_places(struct mdm_option_place *out, int64_t room, const struct mdm_option_kind *kind)
{
    struct list l = {.out = out, .room = room};

    return list_places(&l, kind);
}

int mdm_option_at(struct mdm_option_place *out, const struct mdm_option_kind *kind, int64_t i)
{
    struct list l = {.out = out, .skip = i, .room = 1};

    return i >= 0 && i < list_places(&l, kind);
}

/* ---- facts ---- */

static void add_some(struct mdm_text *t, const char *s)
{
    mdm_text_add(t, s ? s : "");
}

/* What the rows of one option say: once where they agree, else "9 (uvit), 12 (dit)". */
static void add_each(struct mdm_text *t, const struct mdm_option_place *p,
                     const char *(*say)(const struct mdm_option *))
{
    const struct mdm_option_table *table;
    const char *name = p->option->name, *said = say(p->option);
    int agree = 1;

    for (int n = 0; p->chooser && (table = owner(p->chooser, name, n)); n++)
        agree &= !strcmp(say(mdm_option_row(table, name)), said);
    if (agree)
        mdm_text_add(t, said);
    for (int n = 0; !agree && (table = owner(p->chooser, name, n)); n++) {
        said = say(mdm_option_row(table, name));
        mdm_text_addf(t, "%s%s (%s)", n ? ", " : "", *said ? said : "unset", table->name);
    }
}

static void tell_name(struct mdm_text *t, const struct mdm_option_place *p)
{
    char name[MDM_OPTION_NAME];

    mdm_option_name(name, p->kind, p->table, p->option);
    mdm_text_add(t, name);
}

/* What several tables have stands with what picks among them. */
static const struct mdm_option_table *table_of(const struct mdm_option_place *p)
{
    return p->chooser && owner(p->chooser, p->option->name, 1) ? p->chooser : p->table;
}

static void tell_table(struct mdm_text *t, const struct mdm_option_place *p)
{
    mdm_text_add(t, table_of(p)->name);
}

static void tell_table_help(struct mdm_text *t, const struct mdm_option_place *p)
{
    mdm_text_add(t, table_of(p)->help);
}

static void tell_type(struct mdm_text *t, const struct mdm_option_place *p)
{
    static const char *const names[] = {"bool", "int", "float", "string", "choice", "int list", "float list"};

    mdm_text_add(t, names[p->option->type]);
}

static const char *standard_of(const struct mdm_option *o)
{
    return o->standard ? o->standard : "";
}

static void tell_default(struct mdm_text *t, const struct mdm_option_place *p)
{
    const struct mdm_option_default *own = mdm_option_kinds_own(p, NULL), *next;
    const char *between = " (";

    if (!own)
        add_each(t, p, standard_of);
    else
        mdm_text_add(t, own->standard);
    for (; own && own->unless; own = next) {
        next = mdm_option_kinds_own(p, own);
        mdm_text_add(t, between);
        if (next)
            mdm_text_add(t, next->standard);
        else
            add_each(t, p, standard_of);
        mdm_text_addf(t, " where %s is given%s", own->unless, next && next->unless ? "" : ")");
        between = "; ";
    }
}

static void tell_choices(struct mdm_text *t, const struct mdm_option_place *p)
{
    mdm_option_choices(t, p->option);
}

static void tell_unit(struct mdm_text *t, const struct mdm_option_place *p)
{
    add_some(t, p->option->unit);
}

static void tell_range(struct mdm_text *t, const struct mdm_option_place *p)
{
    mdm_option_range(t, p->option);
}

static int all_own(const struct mdm_option_place *p)
{
    int n = 0;

    while (owner(p->chooser, p->option->name, n))
        n++;
    return !p->chooser->option->among(n);
}

static void add_selector(struct mdm_text *t, const struct mdm_option_place *p, const struct mdm_option_table *table)
{
    char name[MDM_OPTION_NAME];

    mdm_option_name(name, p->kind, table, table->option);
    mdm_text_addf(t, "%s=", name);
}

static void tell_when(struct mdm_text *t, const struct mdm_option_place *p)
{
    const int picked = p->chooser && !all_own(p);

    if (picked) {
        add_selector(t, p, p->chooser);
        mdm_option_owners(t, p);
    }
    if (p->option->when) {
        mdm_text_add(t, picked ? ", " : "");
        add_selector(t, p, p->table);
        mdm_text_add(t, p->option->when);
    }
    if (p->option->needs)
        mdm_text_addf(t, "%s%s", picked || p->option->when ? ", " : "", p->option->needs);
}

static void tell_required(struct mdm_text *t, const struct mdm_option_place *p)
{
    add_some(t, p->option->required ? "yes" : "");
}

static void tell_alias(struct mdm_text *t, const struct mdm_option_place *p)
{
    add_some(t, p->option->alias);
}

static const char *help_of(const struct mdm_option *o)
{
    return o->help;
}

static void tell_help(struct mdm_text *t, const struct mdm_option_place *p)
{
    add_each(t, p, help_of);
}

int mdm_options_describe(const struct mdm_option_kind *kind, int64_t i, const char *fact, struct mdm_text *out)
{
    static const struct {
        const char *fact;
        void (*tell)(struct mdm_text *t, const struct mdm_option_place *p);
    } facts[] = {{"name", tell_name},       {"table", tell_table}, {"type", tell_type},
                 {"default", tell_default}, {"range", tell_range}, {"choices", tell_choices},
                 {"unit", tell_unit},       {"when", tell_when},   {"required", tell_required},
                 {"help", tell_help},       {"alias", tell_alias}, {"table_help", tell_table_help}};
    struct mdm_option_place p;

    if (!mdm_option_at(&p, kind, i))
        return mdm_fail(MASKDM_ENOTFOUND, "%s has no option number %lld", kind->name, (long long)i);
    for (size_t k = 0; k < MDM_LENGTH(facts); k++) {
        if (strcmp(facts[k].fact, fact))
            continue;
        mdm_text_add(out, "");
        facts[k].tell(out, &p);
        return mdm_text_ok(out);
    }
    return mdm_fail(MASKDM_ENOTFOUND, "an option has no fact \"%.80s\"", fact);
}
