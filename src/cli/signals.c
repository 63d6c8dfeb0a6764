/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Signals of one piece of work. What would end the program (^C, a closed terminal, kill, a batch system's warning)
 * lets the step finish and saves; a second one drops the step at hand. SIGUSR1 lets training save and go on. A reader
 * of the lines may leave.
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
static volatile sig_atomic_t saves;       /* SIGUSR1 does not end it */

static void stop(int number)
{
    maskdm_control *control = atomic_load(&running);

    if (!control)
        return;
    if (number == SIGUSR1 && saves) {
        maskdm_control_save(control);
    } else if (caught) {
        maskdm_control_cancel(control);
    } else {
        caught = number;
        maskdm_control_stop(control);
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    stop(number);
}

/* Sent to this process by another one, as kill does it; the terminal's come from the kernel. */
static void on_sent(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code <= 0)
        stop(number);
}

static int is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* nohup and its like ignore a signal for us, and mean it. A script's "&" ignores both of the keyboard's, so that ^C
 * for what runs in front does not end us too: kill -INT to our number still means us. */
static int handle(int number)
{
    const int background = number == SIGINT && is_ignored(SIGQUIT);
    struct sigaction action;

    if (is_ignored(number) && !background)
        return 0;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = is_ignored(number) ? on_sent : on_signal;
    sigfillset(&action.sa_mask); /* two at once are taken one after the other */
    action.sa_flags = SA_RESTART | SA_SIGINFO;
    return sigaction(number, &action, NULL);
}

int signals_begin(maskdm_control *control, int keeps)
{
    int status = 0;

    saves = keeps;
    atomic_store(&running, control);
    for (size_t i = 0; i < sizeof ending / sizeof *ending && status == 0; i++)
        status = handle(ending[i]);
    for (size_t i = 0; i < sizeof of_writes / sizeof *of_writes && status == 0; i++)
        status = signal(of_writes[i], SIG_IGN) == SIG_ERR ? -1 : 0;
    return status;
}

/* The handlers stay: a terminal that closes sends its signal more than once, and the last lines are still to come. */
int signals_end(void)
{
    atomic_store(&running, NULL);
    return caught;
}
