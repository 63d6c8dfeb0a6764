/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm presets [NAME]: the presets with what they are, or the file of one, for --config.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fresh text, or NULL with a line. */
static char *text_of(const struct command *command, const char *name, const char *what)
{
    size_t needed = 0;
    char *text = NULL;
    int status = name ? maskdm_options_preset_text(name, what, presets_folder(), NULL, 0, &needed)
                      : maskdm_options_presets(presets_folder(), NULL, 0, &needed);

    if (status == MASKDM_OK)
        text = malloc(needed);
    if (text)
        status = name ? maskdm_options_preset_text(name, what, presets_folder(), text, needed, NULL)
                      : maskdm_options_presets(presets_folder(), text, needed, NULL);
    if (text && status == MASKDM_OK)
        return text;
    complain(command, "%s", status == MASKDM_OK ? "no memory" : maskdm_last_error());
    free(text);
    return NULL;
}

static int list(const struct command *command)
{
    char *names = text_of(command, NULL, NULL), *end;

    for (char *name = names; name && (end = strchr(name, '\n')); name = end + 1) {
        char *about;

        *end = '\0';
        about = text_of(command, name, "about");
        if (!about) {
            free(names);
            return 1;
        }
        printf("  %-18s ", name);
        print_safe(stdout, about);
        printf("\n");
        free(about);
    }
    free(names);
    return names ? said(command) : 1;
}

int run_presets(const struct command *command, int count, char **arguments)
{
    char *text;

    if (count > 1 || (count && arguments[0][0] == '-')) {
        complain(command, "\"%.100s\": usage: maskdm presets %s", arguments[count - 1], command->usage);
        return EXIT_WRONG_USE;
    }
    if (!count)
        return list(command);
    text = text_of(command, arguments[0], NULL);
    if (text)
        fputs(text, stdout);
    free(text);
    return text ? said(command) : 1;
}
