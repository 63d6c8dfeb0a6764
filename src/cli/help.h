/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forms of help: what is said about a command, set in some way.
 */
#ifndef MASKDM_CLI_HELP_H
#define MASKDM_CLI_HELP_H

#include "cli/cli.h"

enum { HELP_FACT = 512 /* bytes of a fact about an option */ };

struct form {
    const char *name;
    void (*begin)(const struct command *command);
    void (*table)(const char *name, const char *help);
    void (*option)(const char *flag, const char *value, const char *help, const char *facts);
    void (*example)(const char *example); /* of the option before; NULL: the form goes by tables alone */
    void (*end)(const struct command *command, const struct command *all);
};

extern const struct form help_text_form, help_man_form;

/* A text for roff: dashes that are to be typed. */
void help_roff(const char *s);
/* Option i of a kind. */
void help_option(const struct form *form, const char *kind, int64_t i);

#endif
