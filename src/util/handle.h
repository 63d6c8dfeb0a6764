/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every handle with references begins with: who holds it, and which calls are at work on it.
 *
 * A call holds the handles that it works on until it returns, so that its callbacks, and other threads, may release
 * them: what loses its last reference goes when the work ends. A call either shares a handle with other calls or has
 * it alone; one that finds a handle taken in a way that excludes it is refused, whichever thread it comes from.
 */
#ifndef MASKDM_UTIL_HANDLE_H
#define MASKDM_UTIL_HANDLE_H

#include <stdatomic.h>

struct maskdm_handle_kind {
    const char *name;             /* for error lines: "trainer" */
    void (*destroy)(void *object); /* with the last reference; half-made objects too */
};

/* The first member of the object. */
struct maskdm_handle {
    const struct maskdm_handle_kind *kind;
    atomic_int references;
    atomic_int calls; /* that share the object, or MASKDM_HANDLE_ALONE */
    long process;     /* that made it: in a forked one, calls of threads that are gone stand for ever */
};

enum { MASKDM_HANDLE_ALONE = -1 };

void maskdm_handle_init(struct maskdm_handle *h, const struct maskdm_handle_kind *kind); /* one reference */
void maskdm_handle_hold(struct maskdm_handle *h);
void maskdm_handle_drop(struct maskdm_handle *h);

/* The handles that one call works on. */
struct maskdm_work {
    struct {
        struct maskdm_handle *handle;
        int alone;
    } entry[8];
    int count;
};

/* Take part in work on a handle, or have it alone. NULL is fine. MASKDM_EBUSY lets go of all that `w` has taken, so
 * that the caller just returns. Counting calls is no change of the object, hence const. */
int maskdm_work_share(struct maskdm_work *w, const struct maskdm_handle *h);
int maskdm_work_alone(struct maskdm_work *w, const struct maskdm_handle *h);
/* Let go of all, newest first; `status` comes back. */
int maskdm_work_end(struct maskdm_work *w, int status);

/* Of an object that may be NULL. */
#define MASKDM_HANDLE(object) ((object) ? &(object)->handle : NULL)

#endif
