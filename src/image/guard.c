/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The jump out of a library's callback. */
#include "image/guard.h"

int mdm_guard_run(struct mdm_guard *g, int (*step)(void *user), void *user)
{
    if (setjmp(g->jump))
        return g->status;
    return step(user);
}

void mdm_guard_leave(struct mdm_guard *g, int status)
{
    g->status = status;
    longjmp(g->jump, 1);
}
