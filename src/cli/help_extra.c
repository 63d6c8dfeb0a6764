/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Help on flags that stand in no table.
 */
#include "cli/help.h"

/* Flags that no table has. */
static const struct {
    const char *flag, *value, *help;
    int of_training;
} extra[] = {
    {"config", "FILE", "take options from a JSON object, with comments if need be, such as a run's options.json", 0},
    {"stages", "FILE", "take stages from such an object's list \"stages\", or from a list alone", 1},
    {"preset", "NAME", "take what is not given from a preset; maskdm presets lists them", 1},
};

void help_each_extra(const struct command *command,
                     void (*show)(const char *flag, const char *value, const char *help, const char *facts))
{
    for (size_t i = 0; command->kind && i < sizeof extra / sizeof *extra; i++)
        if (!extra[i].of_training || trains(command))
            show(extra[i].flag, extra[i].value, extra[i].help, "");
}
