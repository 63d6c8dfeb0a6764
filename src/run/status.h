/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See maskdm_report().
 */
#ifndef MASKDM_RUN_STATUS_H
#define MASKDM_RUN_STATUS_H

#include "run/history.h"
#include "run/record.h"

/* What stands in a run's folder. */
struct mdm_status {
    const char *folder;
    char kind[MDM_RECORD_KIND];  /* "": its record does not say */
    char unread[MDM_ERROR_TEXT]; /* why its options cannot be read, or "" */
    int64_t steps;               /* of all stages; -1: not known */
    int64_t log_every;
    int running;                  /* somebody holds the folder */
    int model, adapter;           /* published */
    struct mdm_checkpoints saved; /* rising */
    int64_t files, bytes;         /* in the folder */
    struct mdm_history history;
};

/* MASKDM_ENOTFOUND where it is no folder of a run. What is cut or edited there makes no failure. */
int mdm_status_read(struct mdm_status *s, const char *folder);
void mdm_status_free(struct mdm_status *s);
/* As a page for people, `now` in seconds since 1970, or as an object of JSON. */
void mdm_status_write_page(const struct mdm_status *s, double now, struct mdm_text *out);
void mdm_status_write_json(const struct mdm_status *s, struct mdm_text *out);

#endif
