/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The affinity mask counts before the machine's cores: containers and batch systems set it.
 */
#define _GNU_SOURCE

#include "util/cores.h"

#include <sched.h>
#include <unistd.h>

int maskdm_core_count(void)
{
    long n;
#ifdef __linux__
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
#endif
    n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 && n < 1024 ? (int)n : 1;
}
