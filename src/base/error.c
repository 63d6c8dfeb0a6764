/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The error line of a thread, and its status. Text is formatted into a buffer of its own first, so that a message may
 * quote the line it replaces.
 */
#include "base/error.h"

#include <stdarg.h>
#include <string.h>

static _Thread_local char line[MDM_ERROR_TEXT];
static _Thread_local int status;

/* Bytes of the character at s that can be shown as they are; 0: a control character, or not UTF-8. */
static int shown(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    int n = mdm_utf8_length(s, strnlen(s, 4));

    return p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0) ? 0 : n;
}

/* File names and strings from files may hold anything; a terminal or a log must get one harmless line. */
void mdm_one_line(char *out, size_t capacity, const char *text)
{
    static const char digit[] = "0123456789abcdef";
    size_t n = 0;

    while (*text) {
        unsigned char c = (unsigned char)*text;
        int whole = shown(text);

        if (n + (whole ? (size_t)whole : 4) >= capacity)
            break;
        if (whole) {
            memcpy(out + n, text, (size_t)whole);
            n += (size_t)whole;
        } else {
            out[n++] = '\\';
            out[n++] = 'x';
            out[n++] = digit[c >> 4];
            out[n++] = digit[c & 15];
        }
        text += whole ? whole : 1;
    }
    out[n] = '\0';
}

static void format_line(char out[MDM_ERROR_TEXT], const char *format, va_list ap)
{
    char raw[MDM_ERROR_TEXT];

    (void)mdm_format_list(raw, sizeof raw, format, ap);
    mdm_one_line(out, MDM_ERROR_TEXT, raw);
}

int mdm_fail(int code, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    format_line(line, format, ap);
    va_end(ap);
    return status = code;
}

int mdm_failure_set(struct mdm_failure *f, int code, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    format_line(f->text, format, ap);
    va_end(ap);
    f->code = code;
    return code;
}

void mdm_failure_take(struct mdm_failure *f, int code)
{
    mdm_failure_look(f);
    f->code = code;
    line[0] = '\0';
    status = MASKDM_OK;
}

int mdm_failure_record(const struct mdm_failure *f)
{
    if (f->code)
        mdm_failure_restore(f);
    return f->code;
}

void mdm_failure_look(struct mdm_failure *f)
{
    memcpy(f->text, line, sizeof line);
    f->code = status;
}

void mdm_failure_restore(const struct mdm_failure *f)
{
    memcpy(line, f->text, sizeof line);
    status = f->code;
}

int mdm_fail_prefix(int code, const char *format, ...)
{
    char joined[MDM_ERROR_TEXT];
    size_t n, rest;
    va_list ap;

    va_start(ap, format);
    format_line(joined, format, ap);
    va_end(ap);
    n = strlen(joined);
    rest = strlen(line);
    if (n + 2 < sizeof joined) {
        memcpy(joined + n, ": ", 2);
        n += 2;
        if (rest > sizeof joined - 1 - n)
            rest = sizeof joined - 1 - n;
        memcpy(joined + n, line, rest);
        joined[n + rest] = '\0';
    }
    memcpy(line, joined, sizeof line);
    return status = code;
}

int mdm_fail_memory(size_t bytes, const char *what)
{
    return mdm_fail(MASKDM_ENOMEM, "cannot allocate %zu bytes for %s", bytes, what);
}

const char *mdm_error_text(void)
{
    return line;
}

int mdm_error_status(void)
{
    return status;
}
