/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flags from the option tables: --name VALUE, --name=VALUE, --name and --no-name for truth values; dashes stand for
 * the tables' underscores. The last value wins. --config FILE takes a JSON object of options (a run's options.json).
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64, CONFIG_LIMIT = 1 << 20 };

const char *option_fact(const char *kind, int64_t i, const char *fact, char *buffer, size_t size)
{
    buffer[0] = '\0';
    if (maskdm_options_describe(kind, i, fact, buffer, size, NULL) < 0)
        buffer[0] = '\0';
    return buffer;
}

/* Type of the option by its name, or -1. */
static int type_of(const char *kind, const char *name)
{
    char buffer[NAME_SIZE];

    for (int64_t i = 0; i < maskdm_options_count(kind); i++)
        if (strcmp(option_fact(kind, i, "name", buffer, sizeof buffer), name) == 0)
            return maskdm_options_type(kind, i);
    return -1;
}

static int wrong(const struct command *command, const char *text)
{
    fprintf(stderr, "maskdm %s: %s\n", command->name, text);
    return EXIT_WRONG_USE;
}

static int read_config(const struct command *command, const char *path, maskdm_options *options)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(CONFIG_LIMIT);
    size_t size = 0;
    int status = 0;

    if (!file || !text) {
        fprintf(stderr, "maskdm %s: cannot read \"%s\": %s\n", command->name, path, strerror(errno));
        status = 1;
    } else {
        size = fread(text, 1, CONFIG_LIMIT, file);
        if (ferror(file) || size == CONFIG_LIMIT) {
            fprintf(stderr, "maskdm %s: \"%s\" is no file of options of less than 1 MiB\n", command->name, path);
            status = 1;
        } else if (maskdm_options_parse_json(options, text, size) < 0) {
            fprintf(stderr, "maskdm %s: \"%s\": %s\n", command->name, path, maskdm_last_error());
            status = EXIT_WRONG_USE;
        }
    }
    if (file)
        fclose(file);
    free(text);
    return status;
}

/* Splits "--some-name=value" into name and value; *value is NULL where there is none. */
static int split(const char *argument, char name[NAME_SIZE], const char **value)
{
    size_t length = strcspn(argument + 2, "=");

    if (length == 0 || length >= NAME_SIZE)
        return -1;
    for (size_t i = 0; i < length; i++)
        name[i] = argument[2 + i] == '-' ? '_' : argument[2 + i];
    name[length] = '\0';
    *value = argument[2 + length] == '=' ? argument + 3 + length : NULL;
    return 0;
}

static int take(const struct command *command, const char *name, const char *value, maskdm_options *options)
{
    if (strcmp(name, "config") == 0)
        return read_config(command, value, options);
    return maskdm_options_set(options, name, value) < 0 ? wrong(command, maskdm_last_error()) : 0;
}

/* One flag at arguments[0]; *used says how many arguments it took. */
static int parse_one(const struct command *command, int count, char **arguments, maskdm_options *options, int *used)
{
    char name[NAME_SIZE], text[256];
    const char *value;
    int type;

    *used = 1;
    if (strncmp(arguments[0], "--", 2) != 0 || split(arguments[0], name, &value) < 0) {
        snprintf(text, sizeof text, "\"%.100s\" is not a flag", arguments[0]);
        return wrong(command, text);
    }
    type = type_of(command->kind, name);
    if (type == MASKDM_OPTION_BOOL && !value)
        return take(command, name, "true", options);
    if (type < 0 && strncmp(name, "no_", 3) == 0 && type_of(command->kind, name + 3) == MASKDM_OPTION_BOOL && !value)
        return take(command, name + 3, "false", options);
    if (!value && (type >= 0 || strcmp(name, "config") == 0)) {
        if (count < 2) {
            snprintf(text, sizeof text, "%.100s needs a value", arguments[0]);
            return wrong(command, text);
        }
        value = arguments[1];
        *used = 2;
    }
    return take(command, name, value ? value : "", options);
}

int flags_parse(const struct command *command, int count, char **arguments, maskdm_options *options)
{
    for (int i = 0; i < count;) {
        int used, status;

        if (help_asked(arguments[i]))
            return help_command(command, help_asked(arguments[i])) ? EXIT_WRONG_USE : -1;
        status = parse_one(command, count - i, arguments + i, options, &used);
        if (status)
            return status;
        i += used;
    }
    return maskdm_options_check(options) < 0 ? wrong(command, maskdm_last_error()) : 0;
}
