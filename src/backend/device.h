/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device handle: a backend, the count of its memory, and a lock so that several handles take turns.
 */
#ifndef MASKDM_BACKEND_DEVICE_H
#define MASKDM_BACKEND_DEVICE_H

#include <maskdm/device.h>

#include "backend/backend.h"

/* Opens "cpu"; other names answer MASKDM_ENOTSUP or MASKDM_ENOTFOUND. */
int maskdm_backend_open(maskdm_device **out, const char *name, const maskdm_options *options,
                        maskdm_parallel_for host, int64_t workers, void *host_user);
void maskdm_device_hold(maskdm_device *d);    /* one more reference */
void maskdm_device_drop(maskdm_device **d);   /* what maskdm_device_release() does */
struct maskdm_backend *maskdm_device_backend(maskdm_device *d);
struct maskdm_handle *maskdm_device_handle(maskdm_device *d);

/* Count bytes against the limit before anything is taken: MASKDM_ENOMEM names `what`, the wanted, the used and the
 * allowed bytes. */
int maskdm_device_take(maskdm_device *d, size_t bytes, const char *what);
void maskdm_device_give(maskdm_device *d, size_t bytes);
/* take + backend alloc, and the reverse. Zeroed when `zero`. */
int maskdm_device_alloc(maskdm_device *d, void **out, size_t bytes, int zero, const char *what);
void maskdm_device_free(maskdm_device *d, void *memory, size_t bytes);

/* Work that runs on the device is bracketed, so that handles on several host threads take turns and the BLAS
 * guard stands. Nests on one thread. MASKDM_EINVAL, and nothing to leave, in a process forked from the device's. */
MASKDM_MUST_CHECK int maskdm_device_enter(maskdm_device *d);
void maskdm_device_leave(maskdm_device *d);

size_t maskdm_device_used(const maskdm_device *d);
size_t maskdm_device_peak(const maskdm_device *d);
size_t maskdm_device_limit(const maskdm_device *d);
const char *maskdm_device_text(const maskdm_device *d);
int maskdm_device_workers(const maskdm_device *d);

#endif
