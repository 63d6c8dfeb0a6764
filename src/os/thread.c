/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A new thread inherits the mask of its maker, so all signals are blocked around its making.
 */
#include "os/thread.h"

#include "base/error.h"
#include "os/limits.h"

#include <signal.h>

int mdm_thread_start(pthread_t *out, void *(*body)(void *arg), void *arg)
{
    sigset_t all, before;
    int reason;

    (void)sigfillset(&all);
    reason = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (reason)
        return mdm_fail(MASKDM_ENOMEM, "cannot block signals for a thread (error %d)", reason);
    reason = pthread_create(out, NULL, body, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason ? mdm_limits_fail_thread(reason) : MASKDM_OK;
}
