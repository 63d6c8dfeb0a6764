/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a run's log says of its steps, as columns of numbers. The log may be cut, edited or about to grow: what cannot
 * be read is counted and passed over.
 */
#ifndef MASKDM_RUN_HISTORY_H
#define MASKDM_RUN_HISTORY_H

#include "text/text.h"

#include <stdint.h>

enum mdm_column {
    MDM_COLUMN_STEP,
    MDM_COLUMN_TIME,
    MDM_COLUMN_ELAPSED, /* of an older log: seconds in steps */
    MDM_COLUMN_IMAGES,
    MDM_COLUMN_EPOCH,
    MDM_COLUMN_TOKENS,
    MDM_COLUMN_FLOPS,
    MDM_COLUMN_SECONDS,
    MDM_COLUMN_LOSS, /* the mean since the line before; of an older log: of the step */
    MDM_COLUMN_HELD_OUT,
    MDM_COLUMN_LR,
    MDM_COLUMN_GRAD_NORM,
    MDM_COLUMN_SPEED,
    MDM_COLUMN_MEMORY,
    MDM_COLUMN_SKIPPED,
    MDM_COLUMNS
};

struct mdm_history {
    double (*line)[MDM_COLUMNS]; /* steps rise; NaN: the line does not say */
    int64_t count, capacity;
    int64_t unread; /* lines that are no lines of a log */
};

/* Whole lines; what stands behind the last one is still being written. A line of a step that is not behind the line
 * before takes the place of those from that step on. */
int mdm_history_parse(struct mdm_history *h, const char *text, size_t bytes);
/* log.jsonl of a folder, nothing where there is none. */
int mdm_history_read(struct mdm_history *h, const char *folder);
void mdm_history_free(struct mdm_history *h);
/* What a column is called in the log. */
const char *mdm_history_name(enum mdm_column column);
/* The newest line that has the column, or -1. */
int64_t mdm_history_last(const struct mdm_history *h, enum mdm_column column);

#endif
