/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits are found by trying: the system knows of more kinds than a program could add up.
 */
#include "os/limits.h"

#include "base/error.h"
#include "os/cgroup.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MAP_NORESERVE
#    define MAP_NORESERVE 0
#endif

/* Writable, since that is what ulimit -d counts; without reserve, since what is only asked for must not be held
 * against the machine's memory. */
int mdm_limits_room(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return 0;
    (void)munmap(p, bytes);
    return 1;
}

size_t mdm_limits_stack(void)
{
    pthread_attr_t a;
    size_t bytes = 0;

    if (pthread_attr_init(&a))
        return 0;
    if (pthread_attr_getstacksize(&a, &bytes))
        bytes = 0;
    (void)pthread_attr_destroy(&a);
    return bytes;
}

/* EAGAIN stands for all of them. */
int mdm_limits_fail_thread(int reason)
{
    size_t stack = mdm_limits_stack();
    int64_t tasks = mdm_cgroup_tasks("");
    struct rlimit user = {RLIM_INFINITY, RLIM_INFINITY};

    if (reason != EAGAIN && reason != ENOMEM)
        return mdm_fail(MASKDM_ENOMEM, "cannot start a thread: pthread_create() answers %d", reason);
    if (!mdm_limits_room(stack))
        return mdm_fail(MASKDM_ENOMEM,
                        "cannot start a thread: its stack needs %zu bytes of address space, more than the limits "
                        "of this process leave (ulimit -v; ulimit -s for a smaller stack)",
                        stack);
    if (tasks >= 0)
        return mdm_fail(MASKDM_ENOMEM,
                        "cannot start a thread: the control group allows %lld processes and threads (pids.max), "
                        "and has as many",
                        (long long)tasks);
#ifdef RLIMIT_NPROC
    (void)getrlimit(RLIMIT_NPROC, &user);
#endif
    if (user.rlim_cur != RLIM_INFINITY)
        return mdm_fail(MASKDM_ENOMEM,
                        "cannot start a thread: the user is allowed %llu processes and threads (ulimit -u), and "
                        "has as many",
                        (unsigned long long)user.rlim_cur);
    return mdm_fail(MASKDM_ENOMEM, "cannot start a thread: the system has as many as it bears");
}
