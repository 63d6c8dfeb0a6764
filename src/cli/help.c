/* SPDX-License-Identifier: BSD-2-Clause
 *
 * --help, the man pages and the options reference, all from the library's option tables. A form is a table of
 * functions, so that what is said and how it is set stay apart.
 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

/* ---- markdown ---- */

static void markdown_begin(const struct command *command)
{
    printf("## maskdm %s\n\n%s: `maskdm %s %s`\n", command->name, command->help, command->name, command->usage);
}

static void markdown_table(const char *name, const char *help)
{
    printf("\n### %s\n\n%s\n\n| flag | meaning | |\n| --- | --- | --- |\n", name, help);
}

static void markdown_cell(const char *s)
{
    for (; *s; s++)
        printf(*s == '|' ? "\\|" : "%c", *s);
}

static void markdown_option(const char *flag, const char *value, const char *help, const char *facts)
{
    printf("| `--%s%s", flag, *value ? " " : "");
    markdown_cell(value);
    printf("` | ");
    markdown_cell(help);
    printf(" | ");
    markdown_cell(facts);
    printf(" |\n");
}

static void markdown_end(const struct command *command, const struct command *all)
{
    (void)all;
    for (const struct extra *e = next_extra(command, NULL); e; e = next_extra(command, e))
        printf("\n`--%s %s`: %s.\n", e->name, e->value, e->help);
    printf("\n");
}

static const struct form markdown = {"markdown", markdown_begin, markdown_table, markdown_option, NULL, markdown_end};

static const struct form *find_form(const char *name)
{
    static const struct form *const forms[] = {&help_text_form, &help_man_form, &markdown};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i]->name, name) == 0)
            return forms[i];
    return NULL;
}

/* ---- what is said ---- */

static const char program_help[] = "masked pre-training, fine-tuning and sampling of diffusion models";

/* "default 4; 1 to 8; pixels; with mask block" */
static void join_facts(const char *kind, int64_t i, char *out, size_t size)
{
    static const char *const facts[][2] = {
        {"required", "must be given"}, {"unit", ""}, {"default", "default "}, {"range", ""}, {"when", "with "}};
    char value[HELP_FACT];
    size_t used = 0;

    out[0] = '\0';
    for (size_t k = 0; k < sizeof facts / sizeof *facts && used < size; k++)
        if (*option_fact(kind, i, facts[k][0], value, sizeof value))
            used +=
                (size_t)snprintf(out + used, size - used, "%s%s%s", used ? "; " : "", facts[k][1], k ? value : "");
}

void help_option(const struct form *form, const char *kind, int64_t i)
{
    static const char *const values[] = {"", "N", "X", "TEXT", "", "N,...", "X,..."};
    char flag[HELP_FACT], choices[HELP_FACT], help[HELP_FACT], facts[2 * HELP_FACT];
    int type = maskdm_options_type(kind, i);

    option_flag(kind, i, flag, sizeof flag);
    option_fact(kind, i, "choices", choices, sizeof choices);
    option_fact(kind, i, "help", help, sizeof help);
    join_facts(kind, i, facts, sizeof facts);
    form->option(flag, *choices ? choices : values[type < 0 ? 0 : type], help, facts);
}

/* The numbers of the options that are used first, -1 for a flag of no table; how many there are. Looked up once,
 * since that asks every option for its name. */
static int find_first(const struct form *form, const struct command *command, int64_t out[FIRST_MOST])
{
    int n = 0;

    for (; form->example && n < FIRST_MOST && first_flag(command, n); n++)
        out[n] = option_index(command->kind, first_flag(command, n)->name);
    return n;
}

static void show_first(const struct form *form, const struct command *command, const int64_t *first, int count)
{
    if (count)
        form->table("first", "what most commands are given, with an example each");
    for (int i = 0; i < count; i++) {
        if (first[i] < 0)
            continue;
        help_option(form, command->kind, first[i]);
        form->example(first_flag(command, i)->example);
    }
}

static void show_rest(const struct form *form, const struct command *command, const int64_t *first, int count)
{
    const int64_t all = command->kind ? maskdm_options_count(command->kind) : 0;
    char table[HELP_FACT], help[HELP_FACT], last[HELP_FACT] = "";

    for (int64_t i = 0; i < all; i++) {
        int shown = 0;

        for (int k = 0; k < count; k++)
            shown |= first[k] == i;
        if (shown)
            continue;
        option_fact(command->kind, i, "table", table, sizeof table);
        if (strcmp(table, last) != 0)
            form->table(table, option_fact(command->kind, i, "table_help", help, sizeof help));
        memcpy(last, table, sizeof last);
        help_option(form, command->kind, i);
    }
}

int help_command(const struct command *command, const struct command *all, const char *name)
{
    const struct form *form = find_form(name);
    int64_t first[FIRST_MOST];
    int count;

    if (!form) {
        complain(NULL, "--help=%.100s: text, man or markdown", name);
        return EXIT_WRONG_USE;
    }
    form->begin(command);
    count = find_first(form, command, first);
    show_first(form, command, first, count);
    show_rest(form, command, first, count);
    form->end(command, all);
    return said(NULL);
}

/* The page of the program; each command has its own. */
static void man_program(const struct command *all)
{
    printf(".TH MASKDM 1 \"\" \"maskdm %s\"\n.SH NAME\nmaskdm \\- ", maskdm_version_string());
    help_roff(program_help);
    printf("\n.SH SYNOPSIS\n.B maskdm\n.I COMMAND\n.RI [ flags ]\n.SH COMMANDS\n");
    for (; all->name; all++) {
        printf(".TP\n.BR maskdm\\-%s (1)\n", all->name);
        help_roff(all->help);
        printf(".\n");
    }
    printf(".SH FILES\n.TP\n.I share/maskdm/presets/NAME.json\nthe presets, below the folder of the installation.\n"
           ".SH ENVIRONMENT\n.TP\n.B MASKDM_PRESETS\na folder of presets in its place.\n");
}

static void text_program(const struct command *all)
{
    printf("maskdm %s: %s\n\nusage: maskdm COMMAND [flags]\n\n", maskdm_version_string(), program_help);
    for (; all->name; all++)
        printf("  %-10s %s\n", all->name, all->help);
    printf("\nmaskdm help COMMAND lists the flags of one, maskdm help TOPIC those of a group (mask,\n"
           "sampler, ema) or says all about a flag; maskdm version shows the version.\n");
}

int help_program(const struct command *all, const char *name)
{
    if (strcmp(name, "man") == 0)
        man_program(all);
    else if (strcmp(name, "text") == 0)
        text_program(all);
    else {
        complain(NULL, "--help=%.100s: text or man", name);
        return EXIT_WRONG_USE;
    }
    return said(NULL);
}
