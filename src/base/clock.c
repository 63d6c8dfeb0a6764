/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The monotonic clock, for rates and time left, and the calendar; no result depends on either.
 */
#include "base/clock.h"

#include <time.h>

static double read_clock(clockid_t which)
{
    struct timespec t;

    if (clock_gettime(which, &t))
        return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double mdm_clock(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double mdm_clock_calendar(void)
{
    return read_clock(CLOCK_REALTIME);
}

void mdm_clock_write(char out[MDM_CLOCK_TEXT], double calendar)
{
    const time_t moment = (time_t)calendar;
    struct tm parts;

    if (!localtime_r(&moment, &parts) || !strftime(out, MDM_CLOCK_TEXT, "%H:%M on %Y-%m-%d", &parts))
        out[0] = '\0';
}

void mdm_clock_sleep(double seconds)
{
    const struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};

    (void)nanosleep(&t, NULL);
}
