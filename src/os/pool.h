/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A pool of threads that runs one parallel loop at a time. The calling thread takes part; with one thread
 * nothing is started. Workers block all signals, spin a while, then sleep. Work is cut by shape, never by
 * the number of threads; which thread runs which index is not defined and must not matter.
 */
#ifndef MASKDM_OS_POOL_H
#define MASKDM_OS_POOL_H

#include <maskdm/device.h>

#include <stdint.h>

struct mdm_pool;

/* Run body(arg, i, worker) for i in [0, n); worker is in [0, threads). Same contract as the host's own
 * maskdm_parallel_callback. */
typedef void (*mdm_body)(void *arg, int64_t i, int worker);

/* threads >= 1. A host's loop (may be NULL) replaces our threads; `threads` is then its worker count. */
int mdm_pool_create(struct mdm_pool **out, int threads, maskdm_parallel_callback host, void *host_user);
void mdm_pool_release(struct mdm_pool **p); /* joins; in a forked process only frees */
int mdm_pool_threads(const struct mdm_pool *p);
/* NULL pool runs the loop on the caller. Not reentrant: a body must not start a loop. Our own threads never fail; a
 * host's loop may break its contract (MASKDM_EDEVICE: some indices may not have run) or call us again (MASKDM_EBUSY).
 */
MASKDM_MUST_CHECK int mdm_pool_run(struct mdm_pool *p, int64_t n, mdm_body body, void *arg);

/* The same for a body that may fail with a recorded negative status. Every index runs, and the failure of the lowest
 * one is recorded for the caller, so that the error does not depend on the threads either. */
typedef int (*mdm_try_body)(void *arg, int64_t i, int worker);
int mdm_pool_try(struct mdm_pool *p, int64_t n, mdm_try_body body, void *arg);

/* ---- hosted.c: a loop of the host's, held to its contract ---- */

struct mdm_hosted;

int mdm_hosted_create(struct mdm_hosted **out, int workers, maskdm_parallel_callback loop, void *user);
void mdm_hosted_release(struct mdm_hosted **h);
/* One caller at a time. */
int mdm_hosted_run(struct mdm_hosted *h, int64_t n, mdm_body body, void *arg);

#endif
