/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control handle inside: two flags that any thread may raise, and the host's callbacks. Every function takes
 * NULL for a host that does not watch.
 */
#ifndef MASKDM_BASE_CONTROL_H
#define MASKDM_BASE_CONTROL_H

#include <maskdm/control.h>

#include "base/handle.h"
#include "base/log.h"

#include <stdatomic.h>

struct maskdm_control {
    struct mdm_handle handle;
    atomic_int stop, cancel, save;
    maskdm_progress_callback progress;
    void *progress_user;
    struct mdm_log log;
    struct mdm_handle *comm; /* a communicator, which begins with it: work is that of several processes; or NULL */
    int muted; /* the host hears of it from another process */
    int hushed; /* of whose steps the host is told watches something else */
};

int mdm_control_make(maskdm_control **out);
void mdm_control_hold(maskdm_control *c);
void mdm_control_drop(maskdm_control **c);

/* What kernels look at in the middle of a step; lives as long as the handle. NULL for NULL. */
const atomic_int *mdm_control_cancel_flag(const maskdm_control *c);
int mdm_control_stopping(const maskdm_control *c); /* either flag is up */
/* MASKDM_OK, or, when a flag is up, MASKDM_ECANCELED with "WHAT was cancelled" and both flags lowered. */
int mdm_control_check(maskdm_control *c, const char *what);
/* The same record for a kernel or callback that has already returned MASKDM_ECANCELED. */
int mdm_control_canceled(maskdm_control *c, const char *what);
void mdm_control_lower(maskdm_control *c); /* both flags, and the wish to save */
void mdm_control_want_save(maskdm_control *c);
int mdm_control_wants_save(maskdm_control *c); /* whether it is asked for; the wish is then forgotten */
/* A report of which nothing is known yet: zero counts, NaN values, the size filled in. */
struct maskdm_progress mdm_progress_blank(void);
/* Tell the host; a non-zero answer raises the stop flag. */
void mdm_control_report(maskdm_control *c, const struct maskdm_progress *progress);
/* From here on, until it is told the opposite, reports of steps go nowhere: what is at work is a part of something
 * whose steps are reported. */
void mdm_control_hush(maskdm_control *c, int hushed);
/* The same for all that would be told, log lines too. */
void mdm_control_mute(maskdm_control *c, int muted);
/* The control has a reference; NULL takes it away. */
void mdm_control_set_comm(maskdm_control *c, struct mdm_handle *comm);
/* Between two of many files: tell the host, some ten times a second, how many were read and found, and see whether it
 * wants to go on. *told is 0 at first. MASKDM_OK or as mdm_control_check(). */
int mdm_control_reading(maskdm_control *c, double *told, int64_t read, int64_t found);
const struct mdm_log *mdm_control_log(const maskdm_control *c); /* never NULL */

#endif
