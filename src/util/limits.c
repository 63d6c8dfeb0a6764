/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits are found by trying: the system knows of more kinds than a program could add up.
 */
#include "util/limits.h"

#include <pthread.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#    define MAP_NORESERVE 0
#endif

/* Writable, since that is what ulimit -d counts; without reserve, since what is only asked for must not be held
 * against the machine's memory. */
int maskdm_limits_room(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return 0;
    (void)munmap(p, bytes);
    return 1;
}

size_t maskdm_limits_stack(void)
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
