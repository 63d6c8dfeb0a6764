/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Starting a thread that leaves the host's signals alone: it takes none.
 */
#ifndef MASKDM_OS_THREAD_H
#define MASKDM_OS_THREAD_H

#include <pthread.h>

/* MASKDM_OK or a recorded MASKDM_ENOMEM; end it with pthread_join(). */
int mdm_thread_start(pthread_t *out, void *(*body)(void *arg), void *arg);

#endif
