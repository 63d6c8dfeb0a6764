/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which devices there are: one row per module, found by the name before the colon ("cuda" of "cuda:1"). A module is
 * what opens backends of one kind. It need not be linked with the library: what it wants of it stands in struct
 * mdm_device_host, what it gives in backend/backend.h, and whether both were built from the same text is looked at
 * before it is called.
 */
#ifndef MASKDM_BACKEND_REGISTRY_H
#define MASKDM_BACKEND_REGISTRY_H

#include <maskdm/device.h>

#include "backend/backend.h"
#include "base/error.h"

/* What a module has of the library. Memory of the host comes from here, so that the process's allocator is one and
 * tests can refuse it, and failures go here, so that the line stands where maskdm_last_error() looks. There is no
 * log: a device is opened without a control, and all that a module has to say fits a failure or describe(). */
struct mdm_device_host {
    int version; /* MDM_BACKEND_VERSION */
    size_t size; /* sizeof(struct mdm_device_host) */
    void *(*need)(size_t count, size_t size, const char *what); /* base/alloc.h */
    void *(*need_aligned)(size_t bytes, const char *what);
    void (*free)(void *memory);
    int (*record)(int code, const char *format, ...) MDM_PRINTF(2, 3); /* mdm_fail(); calling thread only */
};

/* The type of programs, and what products of float may lose on the way. */
enum mdm_device_compute { MDM_COMPUTE_AUTO, MDM_COMPUTE_FLOAT32, MDM_COMPUTE_TF32, MDM_COMPUTE_BFLOAT16 };

struct mdm_device_settings {
    const char *unit;            /* what stands behind the colon; "" where there is none */
    int workers;                 /* host threads, at least 1 */
    int guard;                   /* option blas_threads */
    const char *instruction_set; /* mdm_instruction_set() */
    const char *module;          /* file of one that is not linked; "" or NULL: where it is installed */
    enum mdm_device_compute compute;
    maskdm_parallel_callback host;    /* a host's loop in place of threads; or NULL */
    void *host_user;
};

struct mdm_device_module {
    const char *name;
    const struct mdm_backend_vtbl *v; /* of every backend that it opens; NULL: not in this build */
    int (*open)(struct mdm_backend **out, const struct mdm_device_host *host, const struct mdm_device_settings *s);
};

/* What a module in a file of its own has: "const struct mdm_device_module *mdm_device_module(void)", in C. */
#define MDM_DEVICE_ENTRY "mdm_device_module"

/* Open a backend by its device's name; settings->unit is filled in. MASKDM_ENOTFOUND for a name that no row has,
 * MASKDM_ENOTSUP where the row's module is in a file that is not installed or is no such module, ENOTFOUND where the
 * loader refuses it, MASKDM_EVERSION, with both versions, for a module of another text. */
int mdm_registry_open(struct mdm_backend **out, const char *name, struct mdm_device_settings *settings);

/* The name of module i; NULL: there is none. In *here whether this build has it. */
const char *mdm_registry_name(size_t i, int *here);

/* Tests may put one module in front of the table, before the first device is opened; NULL takes it away again.
 * Production never does. */
void mdm_registry_add(const struct mdm_device_module *module);

#endif
