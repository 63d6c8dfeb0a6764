/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm help TOPIC: a group of options ("mask", "sampler"), or one of them by its name, as a flag, or by what other
 * programs call it.
 */
#include "cli/help.h"

#include <string.h>

enum { NAME_SIZE = 64, ALIASES = 1024 };

/* "--mask-ratio" as "mask_ratio" */
static void normalise(char out[NAME_SIZE], const char *topic)
{
    size_t n = 0;

    topic += strspn(topic, "-");
    for (; topic[n] && n + 1 < NAME_SIZE; n++)
        out[n] = topic[n] == '-' ? '_' : topic[n];
    out[n] = '\0';
}

static int is_table(const char *kind, int64_t i, const char *name)
{
    char table[HELP_FACT];

    return strcmp(option_fact(kind, i, "table", table, sizeof table), name) == 0;
}

static int is_named(const char *kind, int64_t i, const char *name)
{
    char text[HELP_FACT];

    return strcmp(option_fact(kind, i, "name", text, sizeof text), name) == 0;
}

static int is_alias(const char *kind, int64_t i, const char *name)
{
    const size_t n = strlen(name);
    char text[ALIASES];

    for (const char *at = option_fact(kind, i, "alias", text, sizeof text); *at; at += *at == '|') {
        if (strncmp(at, name, n) == 0 && (at[n] == '|' || !at[n]))
            return 1;
        at += strcspn(at, "|");
    }
    return 0;
}

typedef int matches(const char *kind, int64_t i, const char *name);

static int has(const struct command *c, matches *match, const char *name)
{
    const int64_t count = c->kind ? maskdm_options_count(c->kind) : 0;

    for (int64_t i = 0; i < count; i++)
        if (match(c->kind, i, name))
            return 1;
    return 0;
}

/* What of the first command that has it matches, and which other commands have it too. */
static int tell(const struct command *all, matches *match, const char *name)
{
    const struct command *first = all;
    char help[HELP_FACT];
    int told = 0;

    while (first->name && !has(first, match, name))
        first++;
    if (!first->name)
        return 0;
    for (int64_t i = 0; i < maskdm_options_count(first->kind); i++) {
        if (!match(first->kind, i, name))
            continue;
        if (!told++ && match == is_table)
            help_text_form.table(name, option_fact(first->kind, i, "table_help", help, sizeof help));
        help_option(&help_text_form, first->kind, i);
        for (int k = 0; k < FIRST_MOST && first_flag(first, k); k++)
            if (is_named(first->kind, i, first_flag(first, k)->name))
                help_text_form.example(first_flag(first, k)->example);
    }
    printf("\nof maskdm %s", first->name);
    for (const struct command *c = first + 1; c->name; c++)
        if (has(c, match, name))
            printf(", %s", c->name);
    printf("\n");
    return 1;
}

static void list_groups(const struct command *all)
{
    char table[HELP_FACT], last[HELP_FACT];

    printf("\ngroups of options:\n");
    for (const struct command *c = all; c->name; c++) {
        last[0] = '\0';
        for (int64_t i = 0; c->kind && i < maskdm_options_count(c->kind); i++) {
            option_fact(c->kind, i, "table", table, sizeof table);
            if (strcmp(table, last) != 0)
                printf("%s%s", *last ? " " : "  ", table);
            memcpy(last, table, sizeof last);
        }
        if (*last)
            printf("  (%s)\n", c->name);
    }
}

int help_topic(const struct command *all, const char *topic)
{
    char name[NAME_SIZE];
    int told;

    normalise(name, topic);
    if (strcmp(name, "topics") == 0) {
        list_groups(all);
        return said(NULL);
    }
    told = tell(all, is_named, name);
    if (topic[0] != '-')
        told |= tell(all, is_table, name);
    if (!told)
        told = tell(all, is_alias, name);
    return told ? said(NULL) : -1;
}
