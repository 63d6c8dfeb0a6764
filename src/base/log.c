/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Formats a message and hands it to the host's callback.
 */
#include "base/log.h"

#include <stdarg.h>

void mdm_log_line(const struct mdm_log *log, int level, const char *format, ...)
{
    char raw[1024], text[1024];
    va_list ap;

    if (!log || !log->call)
        return;
    va_start(ap, format);
    (void)mdm_format_list(raw, sizeof raw, format, ap);
    va_end(ap);
    mdm_one_line(text, sizeof text, raw);
    log->call(log->user, level, text);
}
