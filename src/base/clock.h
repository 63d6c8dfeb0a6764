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
/* A signal may end it early. */
void mdm_clock_sleep(double seconds);
/* Such a moment as clocks and calendars show it here, "17:40 on 2026-11-26". */
enum { MDM_CLOCK_TEXT = 32 };
void mdm_clock_write(char out[MDM_CLOCK_TEXT], double calendar);

#endif
