/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A failure is a negative status and one line of text on the thread that called the API.
 *
 * The lowest layer that knows speaks; upper layers forward the status and may only prefix a file name.
 * Worker threads never speak: they hand a code and text back (struct maskdm_failure), and the calling
 * thread records them.
 */
#ifndef MASKDM_UTIL_ERROR_H
#define MASKDM_UTIL_ERROR_H

#include <maskdm/common.h>

#if defined(__GNUC__)
#  define MASKDM_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#  define MASKDM_PRINTF(f, a)
#endif

enum { MASKDM_ERROR_TEXT = 512 };

/* What a worker thread hands back. code 0 means no failure. */
struct maskdm_failure {
    int code;
    char text[MASKDM_ERROR_TEXT];
};

/* `text` as one line of UTF-8 that may be shown: control characters, and bytes that are no UTF-8, become \xNN. Cut
 * at `capacity`, never inside a character. */
void maskdm_one_line(char *out, size_t capacity, const char *text);
/* Record one line for this thread and return `code`; what the arguments hold is shown as by maskdm_one_line(). */
int maskdm_fail(int code, const char *format, ...) MASKDM_PRINTF(2, 3);
/* The same into a failure record, for code that runs on a worker thread. */
int maskdm_failure_set(struct maskdm_failure *f, int code, const char *format, ...) MASKDM_PRINTF(3, 4);
/* Move the current line of this thread into `f`, or the other way round (returns f->code). */
void maskdm_failure_take(struct maskdm_failure *f, int code);
int maskdm_failure_record(const struct maskdm_failure *f);
/* Put "what: " before the line that is recorded and return `code`. */
int maskdm_fail_prefix(int code, const char *format, ...) MASKDM_PRINTF(2, 3);
/* "cannot allocate N bytes for WHAT", MASKDM_ENOMEM. */
int maskdm_fail_memory(size_t bytes, const char *what);
const char *maskdm_error_text(void);

#define MASKDM_TRY(expr)                                                                                     \
    do {                                                                                                     \
        int try_status_ = (expr);                                                                            \
        if (try_status_ < 0)                                                                                 \
            return try_status_;                                                                              \
    } while (0)

#define MASKDM_LENGTH(array) (sizeof(array) / sizeof *(array))

#endif
