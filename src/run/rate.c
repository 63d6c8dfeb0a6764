/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Speed as a mean over the last minute; see rate.h.
 */
#include "run/rate.h"

#include <math.h>

void mdm_rate_begin(struct mdm_rate *r, double clock, double done)
{
    r->count = 1;
    r->newest = 0;
    r->mark[0] = (struct mdm_rate_mark){clock, done};
}

void mdm_rate_note(struct mdm_rate *r, double clock, double done)
{
    if (clock - r->mark[r->newest].clock < 1)
        return;
    r->newest = (r->newest + 1) % MDM_RATE_MARKS;
    r->count += r->count < MDM_RATE_MARKS;
    r->mark[r->newest] = (struct mdm_rate_mark){clock, done};
}

double mdm_rate_at(const struct mdm_rate *r, double clock, double done)
{
    const struct mdm_rate_mark *from = &r->mark[r->newest];

    for (int i = 1; i < r->count && clock - from->clock < MDM_RATE_SECONDS; i++)
        from = &r->mark[(r->newest - i + MDM_RATE_MARKS) % MDM_RATE_MARKS];
    return clock > from->clock ? (done - from->done) / (clock - from->clock) : (double)NAN;
}
