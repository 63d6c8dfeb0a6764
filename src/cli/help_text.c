/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Help on a terminal, no wider than that: the flags that people use first, with an example each, then the rest by
 * group.
 */
#include "cli/help.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LEFT = 28, NARROWEST = 40, WIDEST = 120, USUAL = 80 };

static int width(void)
{
    struct winsize w;
    int columns = USUAL;

    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col)
        columns = w.ws_col;
    return columns < NARROWEST ? NARROWEST : columns > WIDEST ? WIDEST : columns;
}

/* Columns of a text in UTF-8, none of whose characters is wider than one. */
static int columns_of(const char *s, size_t n)
{
    int columns = 0;

    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)s[i] & 0xc0) != 0x80;
    return columns;
}

/* How much of a text goes into so many columns: up to a blank, or up to behind a "|", or else all of the word. */
static size_t piece(const char *s, int room)
{
    size_t best = 0, at = 0;

    while (s[at]) {
        const size_t word = strcspn(s + at, " |") + (s[at + strcspn(s + at, " |")] == '|');

        if (columns_of(s, at + word) > room && best)
            break;
        best = at += word;
        at += s[at] == ' ';
    }
    return best;
}

/* Words from column `at` on, and on further lines from column `left` on. */
static void wrap(const char *s, int at, int left)
{
    for (;;) {
        const size_t n = piece(s, width() - at);

        printf("%.*s\n", (int)n, s);
        s += n + (s[n] == ' ');
        if (!*s)
            return;
        printf("%*s", left, "");
        at = left;
    }
}

static void text_begin(const struct command *command)
{
    printf("usage: maskdm %s ", command->name);
    wrap(command->usage, (int)strlen(command->name) + 15, 4);
    printf("\n");
    wrap(command->help, 0, 0);
}

static void text_table(const char *name, const char *help)
{
    printf("\n%s: ", name);
    wrap(help, (int)strlen(name) + 2, 2);
}

/* Values that leave no room for words stand among these. */
static void text_option(const char *flag, const char *value, const char *help, const char *facts)
{
    const int is_long = strlen(flag) + strlen(value) + 7 > LEFT && strchr(value, '|');
    char left[128], text[2048];

    snprintf(left, sizeof left, "  --%s%s%s", flag, *value ? " " : "", is_long ? "WORD" : value);
    snprintf(text, sizeof text, "%s%s%s%s%s%s", is_long ? value : "", is_long ? ": " : "", help, *facts ? " [" : "",
             facts, *facts ? "]" : "");
    printf("%-*s", LEFT, left);
    if (strlen(left) >= LEFT)
        printf("\n%*s", LEFT, "");
    wrap(text, LEFT, LEFT);
}

static void text_example(const char *example)
{
    printf("%*sas in ", LEFT, "");
    wrap(example, LEFT + 6, LEFT);
}

/* A whole command, on as many lines as a shell would take it from. */
static void text_command(const char *s)
{
    for (int left = 2; *s; left = 6) {
        const size_t n = piece(s, width() - left - 2);

        printf("%*s%.*s%s\n", left, "", (int)n, s, s[n] ? " \\" : "");
        s += n + (s[n] == ' ');
    }
}

static void text_end(const struct command *command, const struct command *all)
{
    (void)all;
    for (const struct extra *e = next_extra(command, NULL); e; e = next_extra(command, e))
        text_option(e->name, e->value, e->help, "");
    text_option("help", "", "show this", "");
    if (first_example(command, 0))
        printf("\nexamples:\n");
    for (int i = 0; first_example(command, i); i++)
        text_command(first_example(command, i));
}

const struct form help_text_form = {"text", text_begin, text_table, text_option, text_example, text_end};
