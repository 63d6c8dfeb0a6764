/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A failure is a negative status and one line of text on the thread that called the API.
 *
 * The lowest layer that knows speaks; upper layers forward the status and may only prefix a file name.
 * A worker thread's line is its own: what it has to say is handed over (struct mdm_failure), and the
 * calling thread records it.
 */
#ifndef MASKDM_BASE_ERROR_H
#define MASKDM_BASE_ERROR_H

#include <maskdm/common.h>

#include "base/format.h"

enum { MDM_ERROR_TEXT = 512 };

/* What one thread hands another, or keeps while it does more. code 0 means no failure. */
struct mdm_failure {
    int code;
    char text[MDM_ERROR_TEXT];
};

/* `text` as one line of UTF-8 that may be shown: control characters, and bytes that are no UTF-8, become \xNN. Cut
 * at `capacity`, never inside a character. */
void mdm_one_line(char *out, size_t capacity, const char *text);
/* Record one line for this thread and return `code`; what the arguments hold is shown as by mdm_one_line(). */
int mdm_fail(int code, const char *format, ...) MDM_PRINTF(2, 3);
/* The same into a failure record. */
int mdm_failure_set(struct mdm_failure *f, int code, const char *format, ...) MDM_PRINTF(3, 4);
/* Move the current line of this thread into `f`, or the other way round (returns f->code). */
void mdm_failure_take(struct mdm_failure *f, int code);
int mdm_failure_record(const struct mdm_failure *f);
/* The line as it is now, and back to it: what a call that succeeds got over on its way is nobody's failure. */
void mdm_failure_look(struct mdm_failure *f);
void mdm_failure_restore(const struct mdm_failure *f);
/* Put "what: " before the line that is recorded and return `code`. */
int mdm_fail_prefix(int code, const char *format, ...) MDM_PRINTF(2, 3);
/* "cannot allocate N bytes for WHAT", MASKDM_ENOMEM. */
int mdm_fail_memory(size_t bytes, const char *what);
const char *mdm_error_text(void);
int mdm_error_status(void);

#define MDM_TRY(expr)                                                                                     \
    do {                                                                                                     \
        int try_status_ = (expr);                                                                            \
        if (try_status_ < 0)                                                                                 \
            return try_status_;                                                                              \
    } while (0)

#define MDM_LENGTH(array) (sizeof(array) / sizeof *(array))

#endif
