/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the system grants this process.
 */
#ifndef MASKDM_OS_LIMITS_H
#define MASKDM_OS_LIMITS_H

#include <stddef.h>

/* Whether `bytes` more could be mapped at this moment (ulimit -v, ulimit -d, strict overcommit). Nothing is kept. */
int mdm_limits_room(size_t bytes);
/* Bytes of stack that a thread is given which asks for none in particular. */
size_t mdm_limits_stack(void);
/* Record MASKDM_ENOMEM for a thread that pthread_create() refused for `reason`: which limit it was. */
int mdm_limits_fail_thread(int reason);

#endif
