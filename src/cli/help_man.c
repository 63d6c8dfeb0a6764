/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Man pages: every flag by group, examples, files, signals.
 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

/* roff: a dash that is to be typed, and no line that begins with a control character */
void help_roff(const char *s)
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
    help_roff(command->help);
    printf("\n.SH SYNOPSIS\n.B maskdm %s\n", command->name);
    help_roff(command->usage);
    printf(command->kind ? "\n.SH OPTIONS\n" : "\n");
}

static void man_table(const char *name, const char *help)
{
    printf(".SS %s: %s\n", name, help);
}

static void man_option(const char *flag, const char *value, const char *help, const char *facts)
{
    printf(".TP\n.BI \\-\\-");
    help_roff(flag);
    printf(" \" ");
    help_roff(value);
    printf("\"\n");
    help_roff(help);
    if (*facts) {
        printf(" (");
        help_roff(facts);
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

static void man_examples(const struct command *command)
{
    if (first_example(command, 0))
        printf(".SH EXAMPLES\n.nf\n");
    for (int i = 0; first_example(command, i); i++) {
        help_roff(first_example(command, i));
        printf("\n");
    }
    if (first_example(command, 0))
        printf(".fi\n");
}

/* Lines of a name, a tab and what it is. */
static void man_files(const struct command *command)
{
    char line[HELP_FACT];

    if (first_files(command))
        printf(".SH FILES\n");
    for (const char *at = first_files(command); at && *at; at += strcspn(at, "\n") + 1) {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        printf(".TP\n.I ");
        line[strcspn(line, "\t")] = '\0';
        help_roff(line);
        printf("\n");
        help_roff(line + strlen(line) + 1);
        printf(".\n");
    }
}

static void man_end(const struct command *command, const struct command *all)
{
    for (const struct extra *e = next_extra(command, NULL); e; e = next_extra(command, e))
        man_option(e->name, e->value, e->help, "");
    man_examples(command);
    man_files(command);
    if (command->kind)
        fputs(man_signals, stdout);
    printf(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong command line%s.\n"
           ".SH SEE ALSO\n.BR maskdm (1)",
           command->kind ? ", 128 + N stopped by signal N in good order (130 by ^C, 143 by SIGTERM)" : "");
    for (; all->name; all++)
        printf(",\n.BR maskdm\\-%s (1)", all->name);
    printf("\n");
}

const struct form help_man_form = {"man", man_begin, man_table, man_option, NULL, man_end};
