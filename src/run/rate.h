/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How fast something goes: a mean over the last minute, so that the time left neither jumps from second to second nor
 * remembers what an hour ago was another load.
 */
#ifndef MASKDM_RUN_RATE_H
#define MASKDM_RUN_RATE_H

enum { MDM_RATE_SECONDS = 60, MDM_RATE_MARKS = MDM_RATE_SECONDS + 2 };

struct mdm_rate {
    struct mdm_rate_mark {
        double clock, done;
    } mark[MDM_RATE_MARKS]; /* a ring, at most one a second */
    int count, newest;
};

void mdm_rate_begin(struct mdm_rate *r, double clock, double done);
void mdm_rate_note(struct mdm_rate *r, double clock, double done);
/* Done a second over the last minute, or since the last mark before that where marks are rare; NaN where no time has
 * passed. */
double mdm_rate_at(const struct mdm_rate *r, double clock, double done);

#endif
