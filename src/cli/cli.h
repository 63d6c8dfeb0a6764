/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The maskdm program: parses, calls the library, displays. It uses the public headers only, so that whatever it does
 * any host can do.
 */
#ifndef MASKDM_CLI_CLI_H
#define MASKDM_CLI_CLI_H

#include <maskdm/maskdm.h>

#include <stdio.h>

enum { EXIT_WRONG_USE = 2 };

struct command {
    const char *name;
    const char *alias; /* what else people call it, "a|b"; NULL: nothing */
    const char *kind; /* of options; NULL: the command takes its arguments as they are */
    const char *usage, *help;
    /* Exit status. arguments: what stands behind the command's name. */
    int (*run)(const struct command *command, int count, char **arguments);
    int (*work)(const maskdm_options *options, maskdm_control *control); /* for runs with options */
};

/* ---- flags.c ---- */
/* Fill options from flags. Returns 0, or an exit status with the reason printed. *help: the form of help that was
 * asked for, or NULL; nothing behind it is looked at. */
int flags_parse(const struct command *command, int count, char **arguments, maskdm_options *options,
                const char **help);

/* A flag that stands in no option table. */
struct extra {
    const char *name, *value, *help;
    int of_training; /* for commands that may have stages */
    int (*take)(const struct command *command, const char *value, maskdm_options *options); /* as flags_parse() */
};
/* That of a command behind `before`, the first behind NULL; NULL behind the last. */
const struct extra *next_extra(const struct command *command, const struct extra *before);

/* ---- config.c: values of --config, --stages and --preset; as a flag's `take` ---- */
int config_take(const struct command *command, const char *path, maskdm_options *options);
int stages_take(const struct command *command, const char *path, maskdm_options *options);
int preset_take(const struct command *command, const char *name, maskdm_options *options);

/* ---- comm.c: several processes that do one piece of work ---- */
int comm_take(const struct command *command, const char *value, maskdm_options *options);
/* Join the others, where they are asked for; an exit status, with the reason printed. */
int comm_begin(const struct command *command, maskdm_control *control);
/* Whether it is for this process to say how the work ended. */
int comm_speaks(void);
void comm_end(void); /* behind the control's */

/* ---- help.c: `all` commands end with one without a name ---- */
/* The program as a whole; as help_command(). */
int help_program(const struct command *all, const char *form);
/* form: "text", "man" or "markdown"; the exit status. */
int help_command(const struct command *command, const struct command *all, const char *form);

/* ---- first.c: what people use first of a command, in order; NULL behind the last, and where there is none ---- */
enum { FIRST_MOST = 12 };
struct first {
    const char *name, *example; /* of an option: "--lr 2e-4" */
};
const struct first *first_flag(const struct command *command, int i);
const char *first_example(const struct command *command, int i); /* a whole command */
const char *first_files(const struct command *command);          /* lines of a name, a tab and what it is; or NULL */

/* ---- help_topic.c ---- */
/* All about a group of options or one of them, by whatever name; the exit status, or -1: there is no such topic. */
int help_topic(const struct command *all, const char *topic);

/* ---- completion.c ---- */
/* all: the commands, up to one without a name. */
int run_completion(const struct command *command, const struct command *all, int count, char **arguments);

/* ---- option.c ---- */
/* The form that "--help", "-h" or "--help=FORM" asks for, NULL for other arguments. */
const char *help_asked(const char *argument);
/* The number of the option of this name, or -1; its type, or -1. */
int64_t option_index(const char *kind, const char *name);
int option_type(const char *kind, const char *name);
/* Fact about an option as text in a buffer of `size` bytes; returns the buffer. */
const char *option_fact(const char *kind, int64_t i, const char *fact, char *buffer, size_t size);
/* Its name as it is typed, "block-size" for "block_size". */
const char *option_flag(const char *kind, int64_t i, char *buffer, size_t size);
/* Whether there is such a truth value and it is true. */
int option_is_on(const maskdm_options *options, const char *name);

/* How many values a command takes in front without a flag: so many words begin its usage, for its first options. */
int bare_values(const struct command *command);
/* Whether a command is one of training, which may have stages. */
int trains(const struct command *command);
/* Where presets are looked for in place of the installation: MASKDM_PRESETS of the environment, or NULL. */
const char *presets_folder(void);

/* ---- signals.c ---- */
/* From here on, signals that would end the program stop the work of `control`; keeps: SIGUSR1 lets it save. -1 with
 * errno. */
int signals_begin(maskdm_control *control, int keeps);
/* The control is out of their reach again; gives the signal that came first, or 0. */
int signals_end(void);

/* ---- show.c: progress and messages of one run ---- */
int show_begin(maskdm_control *control, const maskdm_options *options, const struct command *command);
/* Ends the progress line; gives the exit status for the library's. */
int show_end(int status, const struct command *command);

/* ---- say.c ---- */
/* "maskdm: " or "maskdm COMMAND: " and one line on stderr, control characters escaped. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void complain(const struct command *command, const char *format, ...);
void print_safe(FILE *out, const char *text); /* control characters escaped */
/* A maskdm_write_callback to the stream `user`. */
int print_page(void *user, const void *bytes, size_t size);
/* Exit status of what was printed to stdout: a page that is cut is no page. */
int said(const struct command *command);

/* ---- runs ---- */
int run_work(const struct command *command, int count, char **arguments);
int run_info(const struct command *command, int count, char **arguments);
int run_presets(const struct command *command, int count, char **arguments);
int run_plot(const struct command *command, int count, char **arguments);


#endif
