/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every handle with references begins with: who holds it, and which calls are at work on it.
 *
 * A call holds the handles that it works on until it returns, so that its callbacks, and other threads, may release
 * them: what loses its last reference goes when the work ends. A call either shares a handle with other calls or has
 * it alone; one that finds a handle taken in a way that excludes it is refused, whichever thread it comes from.
 */
#ifndef MASKDM_BASE_HANDLE_H
#define MASKDM_BASE_HANDLE_H

#include "base/error.h"

#include <stdatomic.h>

struct mdm_handle_kind {
    const char *name;             /* for error lines: "trainer" */
    void (*destroy)(void *object); /* with the last reference; half-made objects too */
};

/* The first member of the object. */
struct mdm_handle {
    const struct mdm_handle_kind *kind;
    atomic_int references;
    atomic_int calls; /* that share the object, or MDM_HANDLE_ALONE */
    long process;     /* that made it: in a forked one, calls of threads that are gone stand for ever */
};

enum { MDM_HANDLE_ALONE = -1 };

void mdm_handle_init(struct mdm_handle *h, const struct mdm_handle_kind *kind);          /* one reference */
void mdm_handle_hold(struct mdm_handle *h);
void mdm_handle_drop(struct mdm_handle *h);

/* The handles that one call works on, and the failure that the thread was told of before. */
struct mdm_work {
    struct mdm_failure before;
    int begun;
    struct {
        struct mdm_handle *handle;
        int alone;
    } entry[8];
    int count;
};

/* Take part in work on a handle, or have it alone. NULL is fine. MASKDM_EBUSY lets go of all that `w` has taken, so
 * that the caller just returns. Counting calls is no change of the object, hence const. */
int mdm_work_share(struct mdm_work *w, const struct mdm_handle *h);
int mdm_work_alone(struct mdm_work *w, const struct mdm_handle *h);
/* Let go of all, newest first; `status` comes back. Where that is no failure, the last one is again what it was
 * before the work. */
int mdm_work_end(struct mdm_work *w, int status);

/* Of an object that may be NULL. */
#define MDM_HANDLE(object) ((object) ? &(object)->handle : NULL)

#endif
