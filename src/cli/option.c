/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the option tables say, and the argument that asks for it.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64 };

const char *option_fact(const char *kind, int64_t i, const char *fact, char *buffer, size_t size)
{
    buffer[0] = '\0';
    if (maskdm_options_describe(kind, i, fact, buffer, size, NULL) < 0)
        buffer[0] = '\0';
    return buffer;
}

const char *option_flag(const char *kind, int64_t i, char *buffer, size_t size)
{
    option_fact(kind, i, "name", buffer, size);
    for (char *s = buffer; *s; s++)
        if (*s == '_')
            *s = '-';
    return buffer;
}

int64_t option_index(const char *kind, const char *name)
{
    char buffer[NAME_SIZE];

    for (int64_t i = 0; i < maskdm_options_count(kind); i++)
        if (strcmp(option_fact(kind, i, "name", buffer, sizeof buffer), name) == 0)
            return i;
    return -1;
}

int option_type(const char *kind, const char *name)
{
    const int64_t i = option_index(kind, name);

    return i < 0 ? -1 : maskdm_options_type(kind, i);
}

int option_is_on(const maskdm_options *options, const char *name)
{
    char value[8];

    return maskdm_options_get(options, name, value, sizeof value, NULL) == MASKDM_OK && strcmp(value, "true") == 0;
}

const char *help_asked(const char *argument)
{
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        return "text";
    return strncmp(argument, "--help=", 7) == 0 ? argument + 7 : NULL;
}

int trains(const struct command *command)
{
    return command->kind && option_type(command->kind, "carry") >= 0;
}

const char *presets_folder(void)
{
    const char *folder = getenv("MASKDM_PRESETS");

    return folder && *folder ? folder : NULL;
}

int bare_values(const struct command *command)
{
    int n = 0;

    for (const char *word = command->usage; *word != '-' && *word != '['; n++) {
        word += strcspn(word, " ");
        word += strspn(word, " ");
    }
    return n;
}
