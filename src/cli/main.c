/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm COMMAND [flags]: a table of commands.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static int pretrain(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_pretrain(NULL, options, NULL, NULL, control);
}

static int finetune(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_finetune(NULL, options, NULL, NULL, control);
}

static const struct command commands[] = {
    {"pretrain", "pretrain", "--data DIR --out RUN [flags]", "train a fresh network on masked images", run_work,
     pretrain},
    {"finetune", "finetune", "--init MODEL --data DIR --out RUN [flags]",
     "train a model file further, on whole images", run_work, finetune},
    {"sample", "sample", "--model MODEL --out GRID.png|DIR [flags]", "draw images from a model file", run_work,
     maskdm_sample},
    {"convert", "convert", "--from CHECKPOINT.pt --out MODEL.safetensors [flags]",
     "make a model file of a PyTorch checkpoint of the authors' program", run_work, maskdm_convert},
    {"info", NULL, "FILE [--json]", "show what a safetensors file or PyTorch checkpoint holds", run_info, NULL},
};

const struct command *command_at(int i)
{
    return i >= 0 && (size_t)i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

const struct command *command_find(const char *name)
{
    for (int i = 0; command_at(i); i++)
        if (strcmp(command_at(i)->name, name) == 0)
            return command_at(i);
    return NULL;
}

/* Letters that two words share at their beginning and end: enough to guess at four commands. */
static size_t likeness(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), head = 0, tail = 0;

    while (head < n && head < m && a[head] == b[head])
        head++;
    while (tail < n - head && tail < m - head && a[n - 1 - tail] == b[m - 1 - tail])
        tail++;
    return head + tail;
}

static const char *nearest(const char *name)
{
    const char *best = commands[0].name;

    for (int i = 1; command_at(i); i++)
        if (likeness(name, command_at(i)->name) > likeness(name, best))
            best = command_at(i)->name;
    return best;
}

int run_work(const struct command *command, int count, char **arguments)
{
    maskdm_options *options = NULL;
    maskdm_control *control = NULL;
    int status = 1;

    if (maskdm_options_create(&options, command->kind) < 0 || maskdm_control_create(&control) < 0) {
        complain(maskdm_last_error());
        goto out;
    }
    status = flags_parse(command, count, arguments, options);
    if (status) {
        status = status < 0 ? 0 : status;
        goto out;
    }
    status = show_begin(control, options);
    if (status == 0)
        status = show_end(command->work(options, control), command, count, arguments);
out:
    maskdm_control_release(&control);
    maskdm_options_release(&options);
    return status;
}

int main(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        complain("a command is missing; maskdm --help lists them");
        return EXIT_WRONG_USE;
    }
    if (help_asked(argv[1]))
        return help_program(help_asked(argv[1]));
    if (strcmp(argv[1], "--version") == 0) {
        printf("maskdm %s\n", maskdm_version_string());
        return 0;
    }
    command = command_find(argv[1]);
    if (!command) {
        fprintf(stderr, "maskdm: there is no command \"%s\"; the nearest is %s\n", argv[1], nearest(argv[1]));
        return EXIT_WRONG_USE;
    }
    return command->run(command, argc - 2, argv + 2);
}
