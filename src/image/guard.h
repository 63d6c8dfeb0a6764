/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libpng and libjpeg report an error by a call that must not return. Each step with them runs below a guard, which
 * holds the jump target and no variables; everything else lives in the struct that the step works on.
 */
#ifndef MASKDM_IMAGE_GUARD_H
#define MASKDM_IMAGE_GUARD_H

#include <setjmp.h>

struct mdm_guard {
    jmp_buf jump;
    int status;
};

/* What the step returns, or leaves with. */
int mdm_guard_run(struct mdm_guard *g, int (*step)(void *user), void *user);
_Noreturn void mdm_guard_leave(struct mdm_guard *g, int status);

#endif
