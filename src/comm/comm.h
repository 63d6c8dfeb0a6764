/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The communicator: processes that meet, find out whether they are of one mind, and add up. Every function here is
 * collective but those that only look. A rank whose own work failed comes to the meeting all the same, and says so:
 * that is how nobody waits for one that will not come.
 */
#ifndef MASKDM_COMM_COMM_H
#define MASKDM_COMM_COMM_H

#include <maskdm/comm.h>

#include "base/handle.h"
#include "comm/carrier.h"
#include "text/text.h"

struct maskdm_comm {
    struct mdm_handle handle;
    struct mdm_carrier *carrier;
    const atomic_int *cancel;  /* looked at while waiting, or NULL */
    struct mdm_failure broken; /* why there can be no further exchange; code 0: there can */
    int common;                /* the last meeting ended in a failure of which all know */
    float *mine, *theirs;      /* room for what is being added up; NULL before the first sum */
    char text[MDM_ERROR_TEXT];
};

int mdm_comm_open(maskdm_comm **out, const char *name, const maskdm_options *options);
/* Around a carrier, which is the communicator's from here on, also where that fails. */
int mdm_comm_make(maskdm_comm **out, struct mdm_carrier *carrier);
void mdm_comm_hold(maskdm_comm *c);
void mdm_comm_drop(maskdm_comm **c);

/* Memory for what an exchange needs, zeroed: the others are waiting for it, so that there is no other where there is
 * none.
 */
void *mdm_comm_need(maskdm_comm *c, size_t count, size_t size, const char *what);
/* The exchanges of the carrier; one that fails is the last. */
int mdm_comm_gather(maskdm_comm *c, void *all, const void *mine, size_t bytes);
int mdm_comm_swap(maskdm_comm *c, void *pieces, const void *mine, size_t bytes);

/* ---- sum.c ---- */
/* See maskdm_comm_sum(). */
int mdm_comm_sum(maskdm_comm *c, float *values, size_t count);

/* ---- meet.c ---- */
enum { MDM_COMM_PLACE = 48 };
/* Meet at `place` ("step 7"), each with a status and the bits of what it wants. MASKDM_OK in all, with the bits of
 * all in *wants; or the failure of the lowest rank that has one, told with the rank's number in all others; or
 * MASKDM_EINVAL, with both places, where another is elsewhere. A rank whose status is a failure of which all know,
 * or after which there is no meeting, keeps that. */
int mdm_comm_meet(maskdm_comm *c, int status, const char *place, unsigned *wants);
/* Lines of "name value", the same names in the same order in all: MASKDM_EINVAL in all, with the first that rank 0
 * and another have different, of the lowest such rank. `before` stands in front of the lines in a message. */
int mdm_comm_compare(maskdm_comm *c, const char *before, const struct mdm_text *lines);

#endif
