/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of options: looking one up, spelling it, and guessing what a wrong one meant. Meaning comes first, since
 * people type what other programs call it; letters count only when few of them differ, since a wrong hint is worse
 * than none.
 */
#include "option/option_set.h"

#include "base/error.h"
#include "text/nearest.h"

#include <string.h>

void mdm_option_name(char out[MDM_OPTION_NAME], const struct mdm_option_kind *kind,
                     const struct mdm_option_table *table, const struct mdm_option *option)
{
    const char *prefix = kind->count > 1 ? table->prefix : "";
    size_t n = strlen(prefix);

    if (n && !strcmp(option->name, "type"))
        mdm_format(out, MDM_OPTION_NAME, "%.*s", (int)n - 1, prefix);
    else
        mdm_format(out, MDM_OPTION_NAME, "%s%s", prefix, option->name);
}

struct mdm_option_slot *mdm_option_find(const maskdm_options *o, const char *name)
{
    for (int i = 0; i < o->count; i++)
        if (!strcmp(o->slot[i].name, name))
            return (struct mdm_option_slot *)&o->slot[i];
    return NULL;
}

/* ---- spelling ---- */

static void spell(char *out, size_t size, const char *name, enum maskdm_option_spelling spelling)
{
    mdm_format(out, size, "%s%s", spelling == MASKDM_SPELL_FLAGS ? "--" : "", name);
    for (; spelling == MASKDM_SPELL_FLAGS && *out; out++)
        if (*out == '_')
            *out = '-';
}

void mdm_option_spell(struct mdm_option_slot *slot, enum maskdm_option_spelling spelling)
{
    spell(slot->said, sizeof slot->said, slot->name, spelling);
}

void mdm_options_spell(maskdm_options *o, enum maskdm_option_spelling spelling)
{
    o->spelling = spelling;
    for (int i = 0; i < o->count; i++)
        mdm_option_spell(&o->slot[i], spelling);
}

const char *mdm_options_said(const maskdm_options *o, const char *name)
{
    const struct mdm_option_slot *slot = mdm_option_find(o, name);

    return slot ? slot->said : name;
}

/* ---- guessing ---- */

static char fold(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Whether n bytes of `word` are `name`, whatever the case and whatever joins the words. */
static int same(const char *word, size_t n, const char *name)
{
    size_t i = 0;

    for (;; i++, name++) {
        while (i < n && word[i] == '_')
            i++;
        while (*name == '_' || *name == '-')
            name++;
        if (i == n || !*name)
            return i == n && !*name;
        if (word[i] != fold(*name))
            return 0;
    }
}

static int is_alias(const struct mdm_option *option, const char *name)
{
    for (const char *a = option->alias; a && *a;) {
        const size_t n = strcspn(a, "|");

        if (same(a, n, name))
            return 1;
        a += n + (a[n] == '|');
    }
    return 0;
}

/* By its name in another spelling, by what others call it, or without its table's prefix. */
static const struct mdm_option_slot *by_meaning(const maskdm_options *o, const char *name)
{
    for (int i = 0; i < o->count; i++)
        if (same(o->slot[i].name, strlen(o->slot[i].name), name))
            return &o->slot[i];
    for (int i = 0; i < o->count; i++)
        if (is_alias(o->slot[i].place.option, name))
            return &o->slot[i];
    for (int i = 0; i < o->count; i++)
        if (same(o->slot[i].place.option->name, strlen(o->slot[i].place.option->name), name))
            return &o->slot[i];
    return NULL;
}

/* Of all names the nearest, at most a third of the letters away, and no further than fingers err: lr_scheduler is not
 * the schedule of the noise. */
static const struct mdm_option_slot *by_letters(const maskdm_options *o, const char *name)
{
    const struct mdm_option_slot *nearest = NULL;
    int best = mdm_word_errors(name) + 1;

    for (int i = 0; i < o->count && best > 0; i++) {
        int d = mdm_word_distance(name, o->slot[i].name);

        if (d < best) {
            best = d;
            nearest = &o->slot[i];
        }
    }
    return nearest;
}

int mdm_option_need(struct mdm_option_slot **out, const maskdm_options *o, const char *name)
{
    const struct mdm_option_slot *guess;
    char said[MDM_OPTION_NAME + 20];

    *out = mdm_option_find(o, name);
    if (*out)
        return MASKDM_OK;
    spell(said, sizeof said, name, o->spelling);
    guess = by_meaning(o, name);
    if (guess)
        return mdm_fail(MASKDM_ENOTFOUND, "%s has no option \"%s\"; see %s (%s)", o->kind->name, said, guess->said,
                        guess->place.option->help);
    guess = by_letters(o, name);
    if (guess)
        return mdm_fail(MASKDM_ENOTFOUND, "%s has no option \"%s\"; the nearest is %s", o->kind->name, said,
                        guess->said);
    return mdm_fail(MASKDM_ENOTFOUND, "%s has no option \"%s\"", o->kind->name, said);
}
