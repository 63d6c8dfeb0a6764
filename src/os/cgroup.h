/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What control groups grant this process (Linux, versions 1 and 2): its own group's limits and those of all groups
 * above that it can see. `root` stands in front of every path: "" for the system, a folder for a test.
 */
#ifndef MASKDM_OS_CGROUP_H
#define MASKDM_OS_CGROUP_H

#include <stdint.h>

/* Cores' worth of time that the tightest CPU quota leaves, rounded up, or 0 where there is none. */
int64_t mdm_cgroup_cpus(const char *root);
/* The number of processes and threads that a group which has no room for one more allows, or -1 where all have. */
int64_t mdm_cgroup_tasks(const char *root);

#endif
