/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device handle: a backend, the count of its memory, and a lock so that several handles take turns.
 */
#ifndef MASKDM_BACKEND_DEVICE_H
#define MASKDM_BACKEND_DEVICE_H

#include <maskdm/device.h>

#include "backend/backend.h"

/* Opens a device of backend/registry.h by its name. */
int mdm_backend_open(maskdm_device **out, const char *name, const maskdm_options *options,
                     maskdm_parallel_callback host, int64_t workers, void *host_user);
void mdm_device_hold(maskdm_device *d);       /* one more reference */
void mdm_device_drop(maskdm_device **d);      /* what maskdm_device_release() does */
struct mdm_backend *mdm_device_backend(maskdm_device *d);
struct mdm_handle *mdm_device_handle(maskdm_device *d);

/* Count bytes against the limit before anything is taken: MASKDM_ENOMEM names `what`, the wanted, the used and the
 * allowed bytes. */
int mdm_device_take(maskdm_device *d, size_t bytes, const char *what);
void mdm_device_give(maskdm_device *d, size_t bytes);
/* take + backend alloc, and the reverse. Zeroed when `zero`. */
int mdm_device_alloc(maskdm_device *d, void **out, size_t bytes, int zero, const char *what);
void mdm_device_free(maskdm_device *d, void *memory, size_t bytes);

/* The backend's transfers (backend/backend.h). They wait for no turn, so that weights can be looked at while another
 * handle computes. MASKDM_EINVAL in a process forked from the device's. */
int mdm_device_upload(maskdm_device *d, void *device, const void *host, size_t bytes);
int mdm_device_download(maskdm_device *d, void *host, const void *device, size_t bytes);
int mdm_device_copy(maskdm_device *d, void *to, const void *from, size_t bytes);
int mdm_device_fill(maskdm_device *d, void *memory, int byte, size_t bytes);

/* Work that runs on the device is bracketed, so that handles on several host threads take turns and the BLAS
 * guard stands. Nests on one thread. MASKDM_EINVAL, and nothing to leave, in a process forked from the device's. */
MASKDM_MUST_CHECK int mdm_device_enter(maskdm_device *d);
void mdm_device_leave(maskdm_device *d);
/* mdm_pool_try() on the backend's host threads, or on the caller where it has none. */
int mdm_device_loop(maskdm_device *d, int64_t n, mdm_try_body body, void *arg);

size_t mdm_device_used(const maskdm_device *d);
size_t mdm_device_peak(const maskdm_device *d);
size_t mdm_device_limit(const maskdm_device *d);
const char *mdm_device_text(const maskdm_device *d);
int mdm_device_workers(const maskdm_device *d);
int mdm_device_rounds(const maskdm_device *d); /* whether products of float lose bits of their factors: tf32 */
enum mdm_dtype mdm_device_stored(const maskdm_device *d); /* of models' matrices: MDM_F32, MDM_BF16 or MDM_F16 */

/* Whether training keeps what is cheap to make anew: option recompute. */
int mdm_device_keeps(const maskdm_device *d);

/* ---- need_float.c ---- */
/* MASKDM_ENOTSUP where that is not float32, which `what` needs. */
int mdm_device_need_float(const maskdm_device *d, const char *what);

#endif
