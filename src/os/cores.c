/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The affinity mask and the quotas of control groups count before the machine's cores: containers and batch systems
 * set them. More threads than a quota has cores would spend it early and then stand still together.
 */
#define _GNU_SOURCE

#include "os/cores.h"

#include "os/cgroup.h"

#include <sched.h>
#include <unistd.h>

static int count_cores(void)
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

int mdm_core_count(void)
{
    int cores = count_cores();
    int64_t quota = mdm_cgroup_cpus("");

    return quota > 0 && quota < cores ? (int)quota : cores;
}
