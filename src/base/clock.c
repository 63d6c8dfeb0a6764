/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The monotonic clock, for rates and time left; no result depends on it.
 */
#include "base/clock.h"

#include <time.h>

double mdm_clock(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_MONOTONIC, &t))
        return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
