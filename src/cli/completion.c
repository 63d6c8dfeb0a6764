/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm completion bash|zsh|fish: what a shell completes behind maskdm, out of the option tables. Flags of each
 * command, the choices of those that have some, names of presets, and else files.
 */
#include "cli/cli.h"

#include <string.h>

enum { FACT = 1024 };

/* "a b c" of "a|b|c" */
static const char *choices_of(const char *kind, int64_t i, char out[FACT])
{
    option_fact(kind, i, "choices", out, FACT);
    for (char *s = out; *s; s++)
        if (*s == '|')
            *s = ' ';
    return out;
}

static int is_preset(const struct extra *e)
{
    return strcmp(e->name, "preset") == 0;
}

static void print_commands(const struct command *all, const char *between)
{
    for (const struct command *c = all; c->name; c++)
        printf("%s%s", c->name, between);
    printf("help%sversion", between);
}

/* ---- bash ---- */

static void bash_flags(const struct command *c)
{
    char flag[FACT];

    printf("    %s) flags='", c->name);
    for (int64_t i = 0; c->kind && i < maskdm_options_count(c->kind); i++) {
        printf("--%s ", option_flag(c->kind, i, flag, sizeof flag));
        if (maskdm_options_type(c->kind, i) == MASKDM_OPTION_BOOL)
            printf("--no-%s ", flag);
    }
    for (const struct extra *e = next_extra(c, NULL); e; e = next_extra(c, e))
        printf("--%s ", e->name);
    printf("%s--help' ;;\n", c->kind ? "" : "--json ");
}

static void bash_values(const struct command *c)
{
    char flag[FACT], choices[FACT];

    for (int64_t i = 0; c->kind && i < maskdm_options_count(c->kind); i++)
        if (*choices_of(c->kind, i, choices))
            printf("    %s:--%s) words='%s' ;;\n", c->name, option_flag(c->kind, i, flag, sizeof flag), choices);
    for (const struct extra *e = next_extra(c, NULL); e; e = next_extra(c, e))
        if (is_preset(e))
            printf("    %s:--%s) words=$(maskdm presets 2>/dev/null | awk '{ print $1 }') ;;\n", c->name, e->name);
}

static void bash(const struct command *all)
{
    printf(
        "# bash completion of maskdm\n_maskdm()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} before= command= "
        "words= flags=\n    COMPREPLY=()\n    if [ \"$COMP_CWORD\" -lt 2 ]; then\n        COMPREPLY=($(compgen -W '");
    print_commands(all, " ");
    printf("' -- \"$word\"))\n        return\n    fi\n    command=${COMP_WORDS[1]}\n"
           "    before=${COMP_WORDS[COMP_CWORD-1]}\n    case $command:$before in\n");
    for (const struct command *c = all; c->name; c++)
        bash_values(c);
    printf("    help:*) words='");
    print_commands(all, " ");
    printf(
        "' ;;\n    completion:*) words='bash zsh fish' ;;\n    esac\n    if [ -n \"$words\" ]; then\n"
        "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n        return\n    fi\n    case $command in\n");
    for (const struct command *c = all; c->name; c++)
        bash_flags(c);
    printf("    esac\n    case $word in\n    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\")) ;;\n    esac\n}\n"
           "complete -o default -F _maskdm maskdm\n");
}

/* ---- zsh ---- */

/* Within single quotes and the brackets of _arguments. */
static void print_zsh(const char *s)
{
    for (; *s; s++)
        if (*s == '\'')
            printf("'\\''");
        else if (strchr("[]:\\", *s))
            printf("\\%c", *s);
        else
            putchar(*s);
}

static void zsh_flags(const struct command *c)
{
    char flag[FACT], choices[FACT], help[FACT];

    printf("    %s)\n        _arguments -S ", c->name);
    for (int64_t i = 0; c->kind && i < maskdm_options_count(c->kind); i++) {
        printf("'--%s[", option_flag(c->kind, i, flag, sizeof flag));
        print_zsh(option_fact(c->kind, i, "help", help, sizeof help));
        if (maskdm_options_type(c->kind, i) == MASKDM_OPTION_BOOL)
            printf("]' ");
        else if (*choices_of(c->kind, i, choices))
            printf("]:value:(%s)' ", choices);
        else
            printf("]:value:_files' ");
    }
    for (const struct extra *e = next_extra(c, NULL); e; e = next_extra(c, e)) {
        printf("'--%s[", e->name);
        print_zsh(e->help);
        printf(is_preset(e) ? "]:preset:($(maskdm presets | awk \"{ print \\$1 }\"))' " : "]:file:_files' ");
    }
    printf("'--help[show the flags]' '*:file:_files' ;;\n");
}

static void zsh(const struct command *all)
{
    printf("#compdef maskdm\n_maskdm() {\n    if (( CURRENT == 2 )); then\n        compadd ");
    print_commands(all, " ");
    printf("\n        return\n    fi\n    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
           "    case $command in\n");
    for (const struct command *c = all; c->name; c++)
        zsh_flags(c);
    printf("    help) compadd ");
    print_commands(all, " ");
    printf(" ;;\n    *) _files ;;\n    esac\n}\n_maskdm \"$@\"\n");
}

/* ---- fish ---- */

static void print_fish(const char *s)
{
    for (; *s; s++)
        printf(*s == '\'' || *s == '\\' ? "\\%c" : "%c", *s);
}

static void fish_flags(const struct command *c)
{
    char flag[FACT], choices[FACT], help[FACT];

    printf("complete -c maskdm -n __fish_use_subcommand -f -a %s -d '", c->name);
    print_fish(c->help);
    printf("'\n");
    for (int64_t i = 0; c->kind && i < maskdm_options_count(c->kind); i++) {
        printf("complete -c maskdm -n '__fish_seen_subcommand_from %s' -l %s", c->name,
               option_flag(c->kind, i, flag, sizeof flag));
        if (*choices_of(c->kind, i, choices))
            printf(" -x -a '%s'", choices);
        else if (maskdm_options_type(c->kind, i) != MASKDM_OPTION_BOOL)
            printf(" -r");
        printf(" -d '");
        print_fish(option_fact(c->kind, i, "help", help, sizeof help));
        printf("'\n");
    }
    for (const struct extra *e = next_extra(c, NULL); e; e = next_extra(c, e)) {
        printf("complete -c maskdm -n '__fish_seen_subcommand_from %s' -l %s%s -d '", c->name, e->name,
               is_preset(e) ? " -x -a '(maskdm presets | awk \"{ print \\$1 }\")'" : " -r");
        print_fish(e->help);
        printf("'\n");
    }
}

static void fish(const struct command *all)
{
    printf("# fish completion of maskdm\n");
    for (const struct command *c = all; c->name; c++)
        fish_flags(c);
}

int run_completion(const struct command *command, const struct command *all, int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*print)(const struct command *all);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    for (size_t i = 0; count == 1 && i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, arguments[0]) == 0) {
            shells[i].print(all);
            return said(command);
        }
    complain(command, "usage: maskdm completion %s", command->usage);
    return EXIT_WRONG_USE;
}
