/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The monotonic clock, and the calendar.
 */
#ifndef MASKDM_BASE_CLOCK_H
#define MASKDM_BASE_CLOCK_H

/* Seconds since some fixed point, monotonic. */
double mdm_clock(void);
/* Seconds since the beginning of 1970, as the machine's calendar has it, which somebody may set. */
double mdm_clock_calendar(void);

#endif
