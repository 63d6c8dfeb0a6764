/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Words for a terminal. What comes from a command line or a file may hold anything; it must not steer the terminal,
 * nor make two lines of one.
 */
#include "cli/cli.h"

#include <stdarg.h>

/* Bytes of the control character at s, or 0: C0 and DEL, and C1 as UTF-8 has it. */
static size_t control(const unsigned char *s)
{
    if (s[0] < 0x20 || s[0] == 0x7f)
        return 1;
    return s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0 ? 2 : 0;
}

void print_safe(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    while (*s) {
        const size_t n = control(s);

        if (!n)
            putc(*s++, out);
        for (size_t i = 0; i < n; i++)
            fprintf(out, "\\x%02x", *s++);
    }
}

int print_page(void *user, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, user) != size || fflush(user) != 0;
}

int said(const struct command *command)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    complain(command, "cannot write the output");
    return 1;
}

void complain(const struct command *command, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    if (vsnprintf(text, sizeof text, format, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    fprintf(stderr, "maskdm%s%s: ", command ? " " : "", command ? command->name : "");
    print_safe(stderr, text);
    fputc('\n', stderr);
}
