/* SPDX-License-Identifier: BSD-2-Clause
 *
 * --help, the man pages and the options reference, all from the library's option tables. A form is a table of
 * functions, so that what is said and how it is set stay apart.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { FACT_SIZE = 512, LEFT = 26 };

struct form {
    const char *name;
    void (*begin)(const struct command *command);
    void (*table)(const char *name, const char *help);
    void (*option)(const char *flag, const char *value, const char *help, const char *facts);
    void (*end)(const struct command *command, const struct command *all);
};

/* "block-size" from "block_size" */
static void dash(char *s)
{
    for (; *s; s++)
        if (*s == '_')
            *s = '-';
}

/* Flags that no table has. */
static const struct {
    const char *flag, *value, *help;
    int of_training;
} extra[] = {
    {"config", "FILE", "take options from a JSON object, with comments if need be, such as a run's options.json", 0},
    {"stages", "FILE", "take stages from such an object's list \"stages\", or from a list alone", 1},
    {"preset", "NAME", "take what is not given from a preset; maskdm presets lists them", 1},
};

static void each_extra(const struct command *command,
                       void (*show)(const char *flag, const char *value, const char *help, const char *facts))
{
    for (size_t i = 0; command->kind && i < sizeof extra / sizeof *extra; i++)
        if (!extra[i].of_training || trains(command))
            show(extra[i].flag, extra[i].value, extra[i].help, "");
}

/* ---- text ---- */

static void text_begin(const struct command *command)
{
    printf("usage: maskdm %s %s\n\n%s\n", command->name, command->usage, command->help);
}

static void text_table(const char *name, const char *help)
{
    printf("\n%s: %s\n", name, help);
}

static void text_option(const char *flag, const char *value, const char *help, const char *facts)
{
    char left[128];

    snprintf(left, sizeof left, "--%s%s%s", flag, *value ? " " : "", value);
    printf("  %-*s", LEFT, left);
    if (strlen(left) >= LEFT)
        printf("\n  %-*s", LEFT, "");
    printf("%s%s%s%s\n", help, *facts ? " [" : "", facts, *facts ? "]" : "");
}

static void text_end(const struct command *command, const struct command *all)
{
    (void)all;
    each_extra(command, text_option);
    text_option("help", "", "show this", "");
}

/* ---- man ---- */

/* roff: a dash that is to be typed, and no line that begins with a control character */
static void roff(const char *s)
{
    for (; *s; s++)
        if (*s == '-')
            fputs("\\-", stdout);
        else if (*s == '\\')
            fputs("\\e", stdout);
        else
            putchar(*s);
}

static void man_begin(const struct command *command)
{
    printf(".TH MASKDM\\-%s 1 \"\" \"maskdm %s\"\n.SH NAME\nmaskdm\\-%s \\- ", command->name, maskdm_version_string(),
           command->name);
    roff(command->help);
    printf("\n.SH SYNOPSIS\n.B maskdm %s\n", command->name);
    roff(command->usage);
    printf(command->kind ? "\n.SH OPTIONS\n" : "\n");
}

static void man_table(const char *name, const char *help)
{
    printf(".SS %s: %s\n", name, help);
}

static void man_option(const char *flag, const char *value, const char *help, const char *facts)
{
    printf(".TP\n.BI \\-\\-");
    roff(flag);
    printf(" \" ");
    roff(value);
    printf("\"\n");
    roff(help);
    if (*facts) {
        printf(" (");
        roff(facts);
        printf(")");
    }
    printf(".\n");
}

static const char man_signals[] =
    ".SH SIGNALS\n"
    "SIGINT (^C), SIGTERM, SIGHUP (a closed terminal), SIGXCPU and SIGUSR2 (warnings of batch systems) end the\n"
    "work in good order: the step at hand is finished, what was done is saved, and a line says how to go on. A\n"
    "second one drops the step at hand. SIGUSR1 lets training save and go on; other work it ends as they do. A\n"
    "signal that is ignored at the start, as under\n.BR nohup (1),\nstays\n"
    "ignored; behind a script's & the terminal's ^C does, and SIGINT sent by\n.BR kill (1)\nends the work. Nothing\n"
    "is stopped by a reader of the output that goes away. SIGQUIT and SIGKILL end the program at once; what was\n"
    "saved before is whole.\n";

static void man_end(const struct command *command, const struct command *all)
{
    each_extra(command, man_option);
    if (command->kind)
        fputs(man_signals, stdout);
    printf(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong command line%s.\n"
           ".SH SEE ALSO\n.BR maskdm (1)",
           command->kind ? ", 128 + N stopped by signal N in good order (130 by ^C, 143 by SIGTERM)" : "");
    for (; all->name; all++)
        printf(",\n.BR maskdm\\-%s (1)", all->name);
    printf("\n");
}

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

static void markdown_extra(const char *flag, const char *value, const char *help, const char *facts)
{
    (void)facts;
    printf("\n`--%s %s`: %s.\n", flag, value, help);
}

static void markdown_end(const struct command *command, const struct command *all)
{
    (void)all;
    each_extra(command, markdown_extra);
    printf("\n");
}

static const struct form forms[] = {
    {"text", text_begin, text_table, text_option, text_end},
    {"man", man_begin, man_table, man_option, man_end},
    {"markdown", markdown_begin, markdown_table, markdown_option, markdown_end},
};

/* ---- what is said ---- */

static const char program_help[] = "masked pre-training, fine-tuning and sampling of diffusion models";

/* "default 4; 1 to 8; pixels; with mask block" */
static void join_facts(const char *kind, int64_t i, char *out, size_t size)
{
    static const char *const facts[][2] = {
        {"required", "must be given"}, {"unit", ""}, {"default", "default "}, {"range", ""}, {"when", "with "}};
    char value[FACT_SIZE];
    size_t used = 0;

    out[0] = '\0';
    for (size_t k = 0; k < sizeof facts / sizeof *facts && used < size; k++)
        if (*option_fact(kind, i, facts[k][0], value, sizeof value))
            used +=
                (size_t)snprintf(out + used, size - used, "%s%s%s", used ? "; " : "", facts[k][1], k ? value : "");
}

static void show_option(const struct form *form, const char *kind, int64_t i)
{
    static const char *const values[] = {"", "N", "X", "TEXT", "", "N,...", "X,..."};
    char flag[FACT_SIZE], choices[FACT_SIZE], help[FACT_SIZE], facts[2 * FACT_SIZE];
    int type = maskdm_options_type(kind, i);

    option_fact(kind, i, "name", flag, sizeof flag);
    option_fact(kind, i, "choices", choices, sizeof choices);
    option_fact(kind, i, "help", help, sizeof help);
    join_facts(kind, i, facts, sizeof facts);
    dash(flag);
    form->option(flag, *choices ? choices : values[type < 0 ? 0 : type], help, facts);
}

int help_command(const struct command *command, const struct command *all, const char *name)
{
    const struct form *form = NULL;
    char table[FACT_SIZE], help[FACT_SIZE], last[FACT_SIZE] = "";

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].name, name) == 0)
            form = &forms[i];
    if (!form) {
        complain(NULL, "--help=%.100s: text, man or markdown", name);
        return EXIT_WRONG_USE;
    }
    form->begin(command);
    for (int64_t i = 0; command->kind && i < maskdm_options_count(command->kind); i++) {
        option_fact(command->kind, i, "table", table, sizeof table);
        if (strcmp(table, last) != 0)
            form->table(table, option_fact(command->kind, i, "table_help", help, sizeof help));
        memcpy(last, table, sizeof last);
        show_option(form, command->kind, i);
    }
    form->end(command, all);
    return said(NULL);
}

/* The page of the program; each command has its own. */
static void man_program(const struct command *all)
{
    printf(".TH MASKDM 1 \"\" \"maskdm %s\"\n.SH NAME\nmaskdm \\- ", maskdm_version_string());
    roff(program_help);
    printf("\n.SH SYNOPSIS\n.B maskdm\n.I COMMAND\n.RI [ flags ]\n.SH COMMANDS\n");
    for (; all->name; all++) {
        printf(".TP\n.BR maskdm\\-%s (1)\n", all->name);
        roff(all->help);
        printf(".\n");
    }
}

static void text_program(const struct command *all)
{
    printf("maskdm %s: %s\n\nusage: maskdm COMMAND [flags]\n\n", maskdm_version_string(), program_help);
    for (; all->name; all++)
        printf("  %-10s %s\n", all->name, all->help);
    printf("\nmaskdm help COMMAND lists the flags of one; maskdm version shows the version.\n");
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
