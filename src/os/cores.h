/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many cores this process may use.
 */
#ifndef MASKDM_OS_CORES_H
#define MASKDM_OS_CORES_H

int mdm_core_count(void); /* at least 1; respects the affinity mask and CPU quotas */

#endif
