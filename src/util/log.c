/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Formats a message and hands it to the host's callback.
 */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>

void maskdm_log_line(const struct maskdm_log *log, int level, const char *format, ...)
{
    char text[1024];
    va_list ap;
    int n;

    if (!log || !log->call)
        return;
    va_start(ap, format);
    n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n < 0)
        return;
    /* A name from a file must not break the promise of one line. */
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    log->call(log->user, level, text);
}
