/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flags from the option tables: --name VALUE, --name=VALUE, --name and --no-name for truth values; dashes stand for
 * the tables' underscores. The last value wins. --config FILE takes a JSON object of options (a run's
 * options.json), or a configuration of MaskDM's authors; --stages FILE an object that has stages, or their list;
 * --preset NAME sets what nothing else does; --resume FOLDER goes on with what is in it.
 */
#include "cli/cli.h"

#include <string.h>

enum { NAME_SIZE = 64, PATH_SIZE = 4096 };

/* A command line under way. */
struct line {
    const struct command *command;
    maskdm_options *options;
    int count; /* arguments that are left */
    char **arguments;
    const char *folder;   /* whose job goes on, or NULL */
    const char *switched; /* the truth value that was set last, or NULL behind any other flag */
};

static int wrong(const struct command *command, const char *text)
{
    complain(command, "%s", text);
    return EXIT_WRONG_USE;
}

static int load_run(const struct command *command, const char *folder, maskdm_options *options)
{
    if (maskdm_options_load_run(options, folder) == MASKDM_OK)
        return 0;
    complain(command, "--resume %.100s: %s", folder, maskdm_last_error());
    return EXIT_WRONG_USE;
}

/* The truth value that may have a folder. */
static int is_resume(const struct command *command, const char *name)
{
    return strcmp(name, "resume") == 0 && option_type(command->kind, name) == MASKDM_OPTION_BOOL;
}

const struct extra *next_extra(const struct command *command, const struct extra *before)
{
    static const struct extra all[] = {
        {"config", "FILE",
         "take options from a JSON object, with comments if need be, such as a run's options.json; for training also "
         "from the MaskDM authors' YAML (.yml, .yaml)",
         0, config_take},
        {"stages", "FILE", "take stages from such an object's list \"stages\", or from a list alone", 1, stages_take},
        {"preset", "NAME", "take what is not given from a preset; maskdm presets lists them", 1, preset_take},
        {"comm", "NAME", "make each step together with other processes: mpi, or \"mpi patience=60\"", 1, comm_take},
        {NULL, NULL, NULL, 0, NULL},
    };
    const struct extra *e = before ? before + 1 : all;

    while (e->of_training && !trains(command))
        e++;
    return command->kind && e->name ? e : NULL;
}

static const struct extra *find_extra(const struct command *command, const char *name)
{
    const struct extra *e = next_extra(command, NULL);

    while (e && strcmp(e->name, name) != 0)
        e = next_extra(command, e);
    return e;
}

/* Splits "some-name=value" into name and value; *value is NULL where there is none. */
static int split(const char *argument, char name[NAME_SIZE], const char **value)
{
    size_t length = strcspn(argument, "=");

    if (length == 0 || length >= NAME_SIZE)
        return -1;
    for (size_t i = 0; i < length; i++)
        name[i] = argument[i] == '-' ? '_' : argument[i];
    name[length] = '\0';
    *value = argument[length] == '=' ? argument + length + 1 : NULL;
    return 0;
}

static int is_negated(const char *kind, const char *name)
{
    return strncmp(name, "no_", 3) == 0 && option_type(kind, name + 3) == MASKDM_OPTION_BOOL;
}

/* Whether an argument without its dashes is a flag of this command. */
static int is_flag(const struct command *command, const char *argument)
{
    char name[NAME_SIZE];
    const char *value;

    return split(argument, name, &value) == 0 &&
           (option_type(command->kind, name) >= 0 || is_negated(command->kind, name) || find_extra(command, name) ||
            strcmp(name, "help") == 0);
}

static int take(struct line *l, const char *name, const char *value)
{
    const struct extra *extra = find_extra(l->command, name);
    int status;

    if (extra)
        return extra->take(l->command, value, l->options);
    status = maskdm_options_set(l->options, name, value);
    if (status == MASKDM_EINVAL && is_resume(l->command, name)) /* no word of a truth value, and so a folder */
        return load_run(l->command, l->folder = value, l->options);
    return status < 0 ? wrong(l->command, maskdm_last_error()) : 0;
}

/* Explain an argument that stands where a flag is expected and is none. */
static int refuse(const struct line *l)
{
    const char *argument = l->arguments[0], *value;
    char name[NAME_SIZE];

    if (argument[0] == '-' && argument[1] && argument[1] != '-' && split(argument + 1, name, &value) == 0) {
        if (is_flag(l->command, argument + 1))
            complain(l->command, "\"%.100s\" is no flag; -%.100s is", argument, argument);
        else if (maskdm_options_set(l->options, name, "") < 0) /* which says what it may mean */
            complain(l->command, "%s", maskdm_last_error());
    } else if (argument[0] == '=') {
        complain(l->command, "\"%.100s\" is no flag; no blank stands before or behind a \"=\"", argument);
    } else if (l->switched) {
        complain(l->command, "\"%.100s\" is no flag; %.100s takes its value as %.100s=%.100s", argument, l->switched,
                 l->switched, argument);
    } else {
        complain(l->command, "\"%.100s\" is no flag; maskdm %s --help lists them", argument, l->command->name);
    }
    return EXIT_WRONG_USE;
}

/* The argument behind a flag as its value. */
static int take_next(struct line *l, const char *name, int *used)
{
    const char *flag = l->arguments[0], *next = l->count > 1 ? l->arguments[1] : NULL;

    if (!next)
        complain(l->command, "%.100s needs a value", flag);
    else if (next[0] == '=')
        complain(l->command, "no blank stands before or behind a \"=\": %.100s=%.100s", flag,
                 next[1]        ? next + 1
                 : l->count > 2 ? l->arguments[2]
                                : "VALUE");
    else if (strncmp(next, "--", 2) == 0 && is_flag(l->command, next + 2))
        complain(l->command, "%.100s needs a value, and %.100s is a flag", flag, next);
    else {
        *used = 2;
        return take(l, name, next);
    }
    return EXIT_WRONG_USE;
}

/* One flag at l->arguments[0]; *used says how many arguments it took. */
static int parse_one(struct line *l, int *used)
{
    const char *argument = l->arguments[0], *value;
    char name[NAME_SIZE];
    int type;

    *used = 1;
    if (strncmp(argument, "--", 2) != 0 || split(argument + 2, name, &value) < 0)
        return refuse(l);
    if (strcmp(name, "continue") == 0 && is_resume(l->command, "resume"))
        strcpy(name, "resume");
    type = option_type(l->command->kind, name);
    if (!value && is_resume(l->command, name) && l->count > 1 && l->arguments[1][0] != '-')
        return take_next(l, name, used);
    l->switched = !value && type == MASKDM_OPTION_BOOL ? argument : NULL;
    if (l->switched)
        return take(l, name, "true");
    if (!value && is_negated(l->command->kind, name))
        return take(l, name + 3, "false");
    if (!value && (type >= 0 || find_extra(l->command, name)))
        return take_next(l, name, used);
    return take(l, name, value ? value : "");
}

/* What was said behind it can still contradict it. */
static int check_folder(const struct line *l)
{
    char out[PATH_SIZE];

    if (maskdm_options_get(l->options, "out", out, sizeof out, NULL) == MASKDM_OK && strcmp(out, l->folder) == 0)
        return 0;
    complain(l->command, "--resume %.100s, but --out %.100s: a job goes on in its own folder", l->folder, out);
    return EXIT_WRONG_USE;
}

/* Whether the work is only to be planned, which tells all that is wrong. */
static int is_dry(const struct command *command, int count, char **arguments)
{
    for (int i = 0; i < count; i++)
        if (strcmp(arguments[i], "--dry-run") == 0)
            return option_type(command->kind, "dry_run") >= 0;
    return 0;
}

int flags_parse(const struct command *command, int count, char **arguments, maskdm_options *options,
                const char **help)
{
    const int dry = is_dry(command, count, arguments);
    struct line l = {command, options, count, arguments, NULL, NULL};
    int worst = 0;

    *help = NULL;
    if (maskdm_options_set_spelling(options, MASKDM_SPELL_FLAGS) < 0)
        return wrong(command, maskdm_last_error());
    for (int i = 0; i < bare_values(command) && l.count > 0 && l.arguments[0][0] != '-'; i++) {
        char name[NAME_SIZE];

        if (take(&l, option_fact(command->kind, i, "name", name, sizeof name), l.arguments[0]))
            return EXIT_WRONG_USE;
        l.count--;
        l.arguments++;
    }
    while (l.count > 0) {
        int used, status;

        *help = help_asked(l.arguments[0]);
        if (*help)
            return 0;
        status = parse_one(&l, &used);
        if (status && !dry)
            return status;
        worst = status ? status : worst;
        l.count -= used;
        l.arguments += used;
        for (; status && l.count > 0 && strncmp(l.arguments[0], "--", 2) != 0; l.count--) /* a wrong flag's value */
            l.arguments++;
    }
    if (l.folder && check_folder(&l))
        return EXIT_WRONG_USE;
    if (dry)
        return worst; /* the run tells the rest */
    return maskdm_options_check(options) < 0 ? wrong(command, maskdm_last_error()) : 0;
}
