/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options out of files: documents of the library, configurations of MaskDM's authors, presets.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_LIMIT = 1 << 20 };

/* Whose file is read, for what is said of it. */
struct heard {
    const struct command *command;
    const char *path;
};

static void hear(void *user, int level, const char *line)
{
    const struct heard *heard = user;

    (void)level;
    complain(heard->command, "%s: %s", heard->path, line);
}

static int is_yaml(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

/* Names stand in the file as the tables have them. */
static int parse_config(const struct command *command, const char *path, maskdm_options *options, const char *text,
                        size_t size)
{
    const struct heard heard = {command, path};
    int status = maskdm_options_set_spelling(options, MASKDM_SPELL_NAMES);

    if (status == MASKDM_OK)
        status = is_yaml(path) ? maskdm_options_parse_yaml(options, text, size, hear, (void *)&heard)
                               : maskdm_options_parse_json(options, text, size);
    return maskdm_options_set_spelling(options, MASKDM_SPELL_FLAGS) < 0 ? MASKDM_EINVAL : status;
}

int config_take(const struct command *command, const char *path, maskdm_options *options)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(CONFIG_LIMIT);
    size_t size = 0;
    int status = 0;

    if (!file || !text) {
        complain(command, "cannot %s %s: %s", errno == ENOENT ? "find" : "read", path, strerror(errno));
        status = 1;
    } else {
        size = fread(text, 1, CONFIG_LIMIT, file);
        if (ferror(file) || size == CONFIG_LIMIT) {
            complain(command, "%s is no file of options of less than 1 MiB", path);
            status = 1;
        } else if (parse_config(command, path, options, text, size) < 0) {
            complain(command, "%s: %s", path, maskdm_last_error());
            status = EXIT_WRONG_USE;
        }
    }
    if (file)
        fclose(file);
    free(text);
    return status;
}

int stages_take(const struct command *command, const char *path, maskdm_options *options)
{
    const int64_t before = maskdm_options_stage_count(options);
    const int status = config_take(command, path, options);

    if (status || maskdm_options_stage_count(options) > before)
        return status;
    complain(command, "%s has no list of stages", path);
    return EXIT_WRONG_USE;
}

int preset_take(const struct command *command, const char *name, maskdm_options *options)
{
    if (maskdm_options_load_preset(options, name, presets_folder()) == MASKDM_OK)
        return 0;
    complain(command, "%s", maskdm_last_error());
    return EXIT_WRONG_USE;
}
