/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Typed reading of option values, comparing handles, and facts about options.
 */
#include "option/option.h"

#include "base/alloc.h"
#include "base/error.h"
#include "option/option_set.h"
#include "text/number.h"
#include "text/text.h"

#include <string.h>

static const char *value_of(const maskdm_options *o, const char *name)
{
    const struct mdm_option_slot *s = mdm_option_find(o, name);

    return s && s->value ? s->value : "";
}

/* Values are canonical, so a conversion that fails means unset, or a wrong name or type: 0. */
int64_t mdm_options_int(const maskdm_options *o, const char *name)
{
    int64_t x = 0;

    (void)mdm_parse_i64(value_of(o, name), &x);
    return x;
}

double mdm_options_float(const maskdm_options *o, const char *name)
{
    double x = 0;

    (void)mdm_parse_double(value_of(o, name), &x);
    return x;
}

int mdm_options_bool(const maskdm_options *o, const char *name)
{
    return !strcmp(value_of(o, name), "true");
}

const char *mdm_options_string(const maskdm_options *o, const char *name)
{
    return value_of(o, name);
}

int mdm_options_has(const maskdm_options *o, const char *name)
{
    return mdm_option_find(o, name) != NULL;
}

int mdm_options_list(const maskdm_options *o, const char *name, double *out, int capacity)
{
    const char *s = value_of(o, name);
    int n = 0;

    while (*s && n < capacity) {
        size_t length = strcspn(s, ",");
        char word[64];

        if (length >= sizeof word)
            break;
        memcpy(word, s, length);
        word[length] = '\0';
        if (mdm_parse_double(word, &out[n]))
            break;
        n++;
        s += length + (s[length] == ',');
    }
    return n;
}

int mdm_options_is_set(const maskdm_options *o, const char *name)
{
    const struct mdm_option_slot *s = mdm_option_find(o, name);

    return s && s->set;
}

static int skipped(const char *const *skip, const char *name)
{
    for (; skip && *skip; skip++)
        if (!strcmp(*skip, name))
            return 1;
    return 0;
}

int mdm_options_difference(const maskdm_options *a, const maskdm_options *b, const char *const *skip,
                           const char **name, char **value_a, char **value_b)
{
    *name = NULL;
    *value_a = *value_b = NULL;
    for (int i = 0; i < a->count; i++) {
        const struct mdm_option_slot *s = &a->slot[i];
        const char *x = s->value ? s->value : "", *y = value_of(b, s->name);

        if (s->option->may_change || skipped(skip, s->name) || !mdm_option_belongs(a, s) || !strcmp(x, y))
            continue;
        *value_a = mdm_strdup(x);
        *value_b = mdm_strdup(y);
        if (!*value_a || !*value_b) {
            mdm_free(*value_a);
            mdm_free(*value_b);
            *value_a = *value_b = NULL;
            return mdm_fail_memory(strlen(x) + strlen(y) + 2, "two option values");
        }
        *name = s->name;
        return MASKDM_OK;
    }
    return MASKDM_OK;
}

struct place {
    const struct mdm_option_kind *kind;
    const struct mdm_option_table *table;
    const struct mdm_option *option;
};

static void tell_name(struct mdm_text *t, const struct place *p)
{
    char name[MDM_OPTION_NAME];

    mdm_option_name(name, p->kind, p->table, p->option);
    mdm_text_add(t, name);
}

static void tell_table(struct mdm_text *t, const struct place *p)
{
    mdm_text_add(t, p->table->name);
}

static void tell_type(struct mdm_text *t, const struct place *p)
{
    static const char *const names[] = {"bool", "int", "float", "string", "choice", "int list", "float list"};

    mdm_text_add(t, names[p->option->type]);
}

static void add_some(struct mdm_text *t, const char *s)
{
    mdm_text_add(t, s ? s : "");
}

static void tell_default(struct mdm_text *t, const struct place *p)
{
    add_some(t, p->option->standard);
}

static void tell_choices(struct mdm_text *t, const struct place *p)
{
    add_some(t, p->option->choices);
}

static void tell_unit(struct mdm_text *t, const struct place *p)
{
    add_some(t, p->option->unit);
}

static void tell_range(struct mdm_text *t, const struct place *p)
{
    mdm_option_range(t, p->option);
}

static void tell_when(struct mdm_text *t, const struct place *p)
{
    char selector[MDM_OPTION_NAME];

    if (!p->option->when)
        return;
    mdm_option_name(selector, p->kind, p->table, &p->table->option[0]);
    mdm_text_addf(t, "%s=%s", selector, p->option->when);
}

static void tell_required(struct mdm_text *t, const struct place *p)
{
    add_some(t, p->option->required ? "yes" : "");
}

static void tell_alias(struct mdm_text *t, const struct place *p)
{
    add_some(t, p->option->alias);
}

static void tell_help(struct mdm_text *t, const struct place *p)
{
    mdm_text_add(t, p->option->help);
}

int mdm_options_describe(const struct mdm_option_kind *kind, int64_t i, const char *fact, struct mdm_text *out)
{
    static const struct {
        const char *fact;
        void (*tell)(struct mdm_text *t, const struct place *p);
    } facts[] = {{"name", tell_name},       {"table", tell_table}, {"type", tell_type},
                 {"default", tell_default}, {"range", tell_range}, {"choices", tell_choices},
                 {"unit", tell_unit},       {"when", tell_when},   {"required", tell_required},
                 {"help", tell_help},       {"alias", tell_alias}};
    struct place p = {kind, NULL, NULL};

    p.option = mdm_option_at(kind, i, &p.table);
    if (!p.option)
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
