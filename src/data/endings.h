/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the names of files end in that are no images, counted.
 */
#ifndef MASKDM_DATA_ENDINGS_H
#define MASKDM_DATA_ENDINGS_H

#include "base/log.h"

#include <stddef.h>
#include <stdint.h>

enum { MDM_ENDINGS = 32, MDM_ENDING_TEXT = 12 /* bytes, with a NUL */ };

struct mdm_endings {
    int kinds;
    int64_t others; /* those behind the first kinds, and endings that are too long to be some */
    struct mdm_ending {
        char text[MDM_ENDING_TEXT]; /* ".txt", in small letters; "" for names without one */
        int64_t count;
    } kind[MDM_ENDINGS];
};

void mdm_endings_add(struct mdm_endings *e, const char *name);
void mdm_endings_join(struct mdm_endings *e, const struct mdm_endings *more);
/* The kinds by their numbers, the most frequent first, of equal ones the first by its letters. */
void mdm_endings_order(const struct mdm_endings *e, int64_t order[MDM_ENDINGS]);
/* A line, where there are any: "ignored as no images: .txt 3, .mp4 1". */
void mdm_endings_tell(const struct mdm_endings *e, const struct mdm_log *log);

#endif
