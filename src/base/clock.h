/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The monotonic clock.
 */
#ifndef MASKDM_BASE_CLOCK_H
#define MASKDM_BASE_CLOCK_H

/* Seconds since some fixed point, monotonic. */
double mdm_clock(void);

#endif
