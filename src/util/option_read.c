/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Typed reading of option values, comparing handles, and facts about options.
 */
#include "util/option.h"

#include "util/alloc.h"
#include "util/error.h"
#include "util/option_set.h"

#include <string.h>

static const char *value_of(const maskdm_options *o, const char *name)
{
    const struct maskdm_option_slot *s = maskdm_option_find(o, name);

    return s && s->value ? s->value : "";
}

/* Values are canonical, so a conversion that fails means unset, or a wrong name or type: 0. */
int64_t maskdm_optionset_int(const maskdm_options *o, const char *name)
{
    int64_t x = 0;

    (void)maskdm_parse_i64(value_of(o, name), &x);
    return x;
}

double maskdm_optionset_float(const maskdm_options *o, const char *name)
{
    double x = 0;

    (void)maskdm_parse_double(value_of(o, name), &x);
    return x;
}

int maskdm_optionset_bool(const maskdm_options *o, const char *name)
{
    return !strcmp(value_of(o, name), "true");
}

const char *maskdm_optionset_string(const maskdm_options *o, const char *name)
{
    return value_of(o, name);
}

int maskdm_optionset_has(const maskdm_options *o, const char *name)
{
    return maskdm_option_find(o, name) != NULL;
}

int maskdm_optionset_list(const maskdm_options *o, const char *name, double *out, int capacity)
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
        if (maskdm_parse_double(word, &out[n]))
            break;
        n++;
        s += length + (s[length] == ',');
    }
    return n;
}

int maskdm_optionset_is_set(const maskdm_options *o, const char *name)
{
    const struct maskdm_option_slot *s = maskdm_option_find(o, name);

    return s && s->set;
}

static int skipped(const char *const *skip, const char *name)
{
    for (; skip && *skip; skip++)
        if (!strcmp(*skip, name))
            return 1;
    return 0;
}

int maskdm_optionset_difference(const maskdm_options *a, const maskdm_options *b, const char *const *skip,
                                const char **name, char **value_a, char **value_b)
{
    *name = NULL;
    *value_a = *value_b = NULL;
    for (int i = 0; i < a->count; i++) {
        const struct maskdm_option_slot *s = &a->slot[i];
        const char *x = s->value ? s->value : "", *y = value_of(b, s->name);

        if (s->option->may_change || skipped(skip, s->name) || !maskdm_option_belongs(a, s) || !strcmp(x, y))
            continue;
        *value_a = maskdm_strdup(x);
        *value_b = maskdm_strdup(y);
        if (!*value_a || !*value_b) {
            maskdm_free(*value_a);
            maskdm_free(*value_b);
            *value_a = *value_b = NULL;
            return maskdm_fail_memory(strlen(x) + strlen(y) + 2, "two option values");
        }
        *name = s->name;
        return MASKDM_OK;
    }
    return MASKDM_OK;
}

struct place {
    const struct maskdm_option_kind *kind;
    const struct maskdm_option_table *table;
    const struct maskdm_option *option;
};

static void tell_name(struct maskdm_text *t, const struct place *p)
{
    char name[MASKDM_OPTION_NAME];

    maskdm_option_name(name, p->kind, p->table, p->option);
    maskdm_text_add(t, name);
}

static void tell_table(struct maskdm_text *t, const struct place *p)
{
    maskdm_text_add(t, p->table->name);
}

static void tell_type(struct maskdm_text *t, const struct place *p)
{
    static const char *const names[] = {"bool", "int", "float", "string", "choice", "int list", "float list"};

    maskdm_text_add(t, names[p->option->type]);
}

static void add_some(struct maskdm_text *t, const char *s)
{
    maskdm_text_add(t, s ? s : "");
}

static void tell_default(struct maskdm_text *t, const struct place *p)
{
    add_some(t, p->option->standard);
}

static void tell_choices(struct maskdm_text *t, const struct place *p)
{
    add_some(t, p->option->choices);
}

static void tell_unit(struct maskdm_text *t, const struct place *p)
{
    add_some(t, p->option->unit);
}

static void tell_range(struct maskdm_text *t, const struct place *p)
{
    maskdm_option_range(t, p->option);
}

static void tell_when(struct maskdm_text *t, const struct place *p)
{
    char selector[MASKDM_OPTION_NAME];

    if (!p->option->when)
        return;
    maskdm_option_name(selector, p->kind, p->table, &p->table->option[0]);
    maskdm_text_addf(t, "%s=%s", selector, p->option->when);
}

static void tell_required(struct maskdm_text *t, const struct place *p)
{
    add_some(t, p->option->required ? "yes" : "");
}

static void tell_alias(struct maskdm_text *t, const struct place *p)
{
    add_some(t, p->option->alias);
}

static void tell_help(struct maskdm_text *t, const struct place *p)
{
    maskdm_text_add(t, p->option->help);
}

int maskdm_optionset_describe(const struct maskdm_option_kind *kind, int64_t i, const char *fact,
                              struct maskdm_text *out)
{
    static const struct {
        const char *fact;
        void (*tell)(struct maskdm_text *t, const struct place *p);
    } facts[] = {{"name", tell_name},       {"table", tell_table}, {"type", tell_type},
                 {"default", tell_default}, {"range", tell_range}, {"choices", tell_choices},
                 {"unit", tell_unit},       {"when", tell_when},   {"required", tell_required},
                 {"help", tell_help},       {"alias", tell_alias}};
    struct place p = {kind, NULL, NULL};

    p.option = maskdm_option_at(kind, i, &p.table);
    if (!p.option)
        return maskdm_fail(MASKDM_ENOTFOUND, "%s has no option number %lld", kind->name, (long long)i);
    for (size_t k = 0; k < MASKDM_LENGTH(facts); k++) {
        if (strcmp(facts[k].fact, fact))
            continue;
        maskdm_text_add(out, "");
        facts[k].tell(out, &p);
        return maskdm_text_ok(out);
    }
    return maskdm_fail(MASKDM_ENOTFOUND, "an option has no fact \"%.80s\"", fact);
}
