/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Several processes of this program that do one piece of work: --comm. Rank 0 speaks for all of
 * them; another one only where rank 0 may not know, or is itself the one that is missed.
 */
#include "cli/cli.h"

#include <string.h>

/* Of the one piece of work of this process. */
static const char *told; /* "NAME OPTIONS" */
static maskdm_comm *comm;

int comm_take(const struct command *command, const char *value, maskdm_options *options)
{
    (void)command;
    (void)options;
    told = value;
    return 0;
}

static int join(void)
{
    char name[64];
    const size_t n = strcspn(told, " ");
    maskdm_options *options;
    int status = maskdm_options_create(&options, "comm");

    snprintf(name, sizeof name, "%.*s", n < sizeof name ? (int)n : (int)sizeof name - 1, told);
    if (status == MASKDM_OK)
        status = maskdm_options_parse(options, told + n);
    if (status == MASKDM_OK)
        status = maskdm_comm_open(&comm, name, options);
    maskdm_options_release(&options);
    return status;
}

int comm_begin(const struct command *command, maskdm_control *control)
{
    if (!told)
        return 0;
    if (join() < 0) {
        complain(command, "--comm %.100s: %s", told, maskdm_last_error());
        return 1;
    }
    maskdm_control_set_comm(control, comm);
    return 0;
}

int comm_speaks(void)
{
    return !comm || maskdm_comm_rank(comm) == 0 || maskdm_comm_lost(comm) >= 0;
}

void comm_end(void)
{
    maskdm_comm_release(&comm);
}
