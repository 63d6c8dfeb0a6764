/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Signals of one piece of work. What would end the program (^C, a closed terminal, kill, a batch system's warning)
 * lets the step finish and saves; a second one drops the step at hand. A reader of the lines may leave.
 */
#include "cli/cli.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2};
/* A write then fails instead, on a closed pipe or beyond the limit of a file's size. */
static const int of_writes[] = {SIGPIPE, SIGXFSZ};

static _Atomic(maskdm_control *) running; /* NULL: there is nothing to stop (any more) */
static volatile sig_atomic_t caught;      /* the first one */

static void on_signal(int number)
{
    maskdm_control *control = atomic_load(&running);

    if (!control)
        return;
    if (caught) {
        maskdm_cancel(control);
    } else {
        caught = number;
        maskdm_stop(control);
    }
}

/* nohup and a shell's "&" ignore signals for us, and mean it. */
static int handle(int number, void (*handler)(int))
{
    struct sigaction action;

    if (sigaction(number, NULL, &action) < 0)
        return -1;
    if (action.sa_handler == SIG_IGN)
        return 0;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigfillset(&action.sa_mask); /* two at once are taken one after the other */
    action.sa_flags = SA_RESTART;
    return sigaction(number, &action, NULL);
}

int signals_begin(maskdm_control *control)
{
    int status = 0;

    atomic_store(&running, control);
    for (size_t i = 0; i < sizeof ending / sizeof *ending && status == 0; i++)
        status = handle(ending[i], on_signal);
    for (size_t i = 0; i < sizeof of_writes / sizeof *of_writes && status == 0; i++)
        status = handle(of_writes[i], SIG_IGN);
    return status;
}

/* The handlers stay: a terminal that closes sends its signal more than once, and the last lines are still to come. */
int signals_end(void)
{
    atomic_store(&running, NULL);
    return caught;
}
