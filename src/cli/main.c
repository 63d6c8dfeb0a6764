/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm COMMAND [flags]: a table of commands.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static int train(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_train(NULL, options, NULL, NULL, control);
}

static int pretrain(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_pretrain(NULL, options, NULL, NULL, control);
}

static int finetune(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_finetune(NULL, options, NULL, NULL, control);
}

static int tune(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_tune(NULL, options, NULL, NULL, control);
}

static int evaluate(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_evaluate(options, control, print_page, stdout);
}

static int survey(const maskdm_options *options, maskdm_control *control)
{
    return maskdm_survey(options, control, print_page, stdout);
}

static int complete(const struct command *command, int count, char **arguments);

static const struct command commands[] = {
    {"train", "training|stages|run", "train", "--stages FILE --data DIR --out RUN [flags]",
     "train in stages, a fresh network or a model file", run_work, train},
    {"pretrain", "pre-train|pretraining", "pretrain", "--data DIR --out RUN [flags]",
     "train a fresh network on masked images", run_work, pretrain},
    {"finetune", "fine-tune|fine_tune|finetuning", "finetune", "--init MODEL --data DIR --out RUN [flags]",
     "train a model file further, on whole images", run_work, finetune},
    {"tune", "consistency|ect|distill|distil|few-step", "tune", "--init MODEL --data DIR --out RUN [flags]",
     "tune a model file for images in one or two evaluations", run_work, tune},
    {"sample", "generate|gen|draw|infer|inference|sampling", "sample", "--model MODEL --out GRID.png|DIR [flags]",
     "draw images from a model file", run_work, maskdm_sample},
    {"evaluate", "eval|fid|score|metrics|validate|test", "evaluate",
     "--model MODEL --data DIR | --images DIR --reference DIR|FILE [flags]",
     "tell how well a model predicts, and how far images are from others", run_work, evaluate},
    {"convert", "import|conversion", "convert", "--from CHECKPOINT|FOLDER --out MODEL.safetensors [flags]",
     "make a model file of a network's checkpoint or of a folder of diffusers", run_work, maskdm_convert},
    {"export", "save|ship|to-torch", "export", "--model MODEL --out FILE.pt|FILE.safetensors|FOLDER/ [flags]",
     "write a model file for its authors' program, for diffusers, or for shipping", run_work, maskdm_export},
    {"merge", "fuse|merge-lora|apply", "merge", "--model MODEL --adapter ADAPTER --out MODEL.safetensors [flags]",
     "put an adapter into the weights of its model", run_work, maskdm_merge},
    {"average", "ema|mean|phema|post-hoc-ema|reconstruct", "average",
     "RUN --std WIDTH --out MODEL.safetensors [flags]",
     "make an average of another width of the snapshots that a run left", run_work, maskdm_average},
    {"pack", "archive|prepare|preprocess|cache", "pack", "SOURCE OUT.safetensors [flags]",
     "write images into one file that training reads in place", run_work, maskdm_pack},
    {"data", "dataset|survey|images|check|verify|look", "survey", "DIR [--out SHEET.png] [flags]",
     "tell what is in a folder of images, and show it as a network sees it", run_work, survey},
    {"info", "inspect|show|describe|list|ls|summary|status|watch", NULL, "FILE|RUN|PICTURE.png [--json]",
     "show what a file of tensors holds, how a run is, or how a picture was drawn", run_info, NULL},
    {"plot", "chart|graph|curves|draw-loss|tensorboard", "plot", "RUN... --out FILE.svg|FILE.png|FILE.csv [flags]",
     "draw what the logs of runs say", run_plot, NULL},
    {"presets", "preset|recipes|configs", NULL, "[NAME]", "list the presets, or print one", run_presets, NULL},
    {"completion", "complete|completions", NULL, "bash|zsh|fish", "print what a shell completes behind maskdm",
     complete, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static int complete(const struct command *command, int count, char **arguments)
{
    return run_completion(command, commands, count, arguments);
}

static const struct command *find(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* Letters that two words share at their beginning and end: enough to guess at a handful of commands. */
static size_t likeness(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), head = 0, tail = 0;

    while (head < n && head < m && a[head] == b[head])
        head++;
    while (tail < n - head && tail < m - head && a[n - 1 - tail] == b[m - 1 - tail])
        tail++;
    return head + tail;
}

static int is_alias(const struct command *command, const char *name)
{
    for (const char *a = command->alias; a && *a;) {
        const size_t n = strcspn(a, "|");

        if (strlen(name) == n && strncmp(a, name, n) == 0)
            return 1;
        a += n + (a[n] == '|');
    }
    return 0;
}

/* The command that a wrong name means: by what others call it, or by two thirds of its letters; or NULL. */
static const struct command *meant(const char *name)
{
    const struct command *best = &commands[0];

    for (const struct command *c = commands; c->name; c++)
        if (is_alias(c, name))
            return c;
    for (const struct command *c = commands + 1; c->name; c++)
        if (likeness(name, c->name) > likeness(name, best->name))
            best = c;
    return 3 * likeness(name, best->name) >= 2 * strlen(name) ? best : NULL;
}

static const struct command *need_command(const char *name)
{
    const struct command *command = find(name), *guess = meant(name);

    if (!command && name[0] == '-')
        complain(NULL, "the command comes before its flags: maskdm COMMAND %.100s; maskdm --help lists them", name);
    else if (!command && guess)
        complain(NULL, "there is no command \"%.100s\"; the nearest is %s", name, guess->name);
    else if (!command)
        complain(NULL, "there is no command \"%.100s\"; maskdm --help lists them", name);
    return command;
}

int run_work(const struct command *command, int count, char **arguments)
{
    maskdm_options *options = NULL;
    maskdm_control *control = NULL;
    const char *help;
    int status = 1, wrong;

    if (maskdm_options_create(&options, command->kind) < 0 || maskdm_control_create(&control) < 0) {
        complain(command, "%s", maskdm_last_error());
        goto out;
    }
    wrong = flags_parse(command, count, arguments, options, &help);
    status = wrong;
    if (wrong && !option_is_on(options, "dry_run"))
        goto out;
    if (help)
        status = help_command(command, commands, help);
    else if ((status = comm_begin(command, control)) == 0 && (status = show_begin(control, options, command)) == 0)
        status = show_end(command->work(options, control), command);
    status = wrong ? wrong : status;
out:
    maskdm_control_release(&control);
    comm_end();
    maskdm_options_release(&options);
    return status;
}

/* Folders stand before the flags. */
int run_plot(const struct command *command, int count, char **arguments)
{
    maskdm_options *options = NULL;
    const char *help = NULL;
    int runs = 0, status;

    while (runs < count && arguments[runs][0] != '-')
        runs++;
    if (maskdm_options_create(&options, command->kind) < 0) {
        complain(command, "%s", maskdm_last_error());
        return 1;
    }
    status = flags_parse(command, count - runs, arguments + runs, options, &help);
    if (!status && help) {
        status = help_command(command, commands, help);
    } else if (!status && !runs) {
        complain(command, "usage: maskdm plot %s", command->usage);
        status = EXIT_WRONG_USE;
    } else if (!status && maskdm_plot((const char *const *)arguments, runs, options) < 0) {
        complain(command, "%s", maskdm_last_error());
        status = 1;
    }
    maskdm_options_release(&options);
    return status;
}

static int asks_version(const char *word)
{
    return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0 || strcmp(word, "version") == 0;
}

/* maskdm help, maskdm help COMMAND, maskdm help TOPIC */
static int run_help(int count, char **arguments)
{
    const struct command *command;
    int status;

    if (!count)
        return help_program(commands, "text");
    command = find(arguments[0]);
    if (command)
        return help_command(command, commands, "text");
    status = help_topic(commands, arguments[0]);
    if (status >= 0)
        return status;
    command = meant(arguments[0]);
    if (command)
        return help_command(command, commands, "text");
    complain(NULL, "there is no command or topic \"%.100s\"; maskdm help topics lists the groups of flags",
             arguments[0]);
    return EXIT_WRONG_USE;
}

int main(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        complain(NULL, "a command is missing; maskdm --help lists them");
        return EXIT_WRONG_USE;
    }
    if (help_asked(argv[1]))
        return help_program(commands, help_asked(argv[1]));
    if (asks_version(argv[1])) {
        printf("maskdm %s\n", maskdm_version_string());
        return said(NULL);
    }
    if (strcmp(argv[1], "help") == 0)
        return run_help(argc - 2, argv + 2);
    command = need_command(argv[1]);
    if (!command)
        return EXIT_WRONG_USE;
    for (int i = 2; i < argc && !command->kind; i++) /* flags have values, which only their tables tell apart */
        if (help_asked(argv[i]))
            return help_command(command, commands, help_asked(argv[i]));
    return command->run(command, argc - 2, argv + 2);
}
