/* SPDX-License-Identifier: BSD-2-Clause
 *
 * snprintf for layers that leave stdio alone, and where characters end.
 */
#include "base/format.h"

#include <locale.h>
#include <stdio.h>

/* A host may write decimals with commas: what we say is for files, programs and reports as well, and the same in
 * every process. The locale is this thread's until the text is made; that of C costs no memory. */
int mdm_format_list(char *out, size_t capacity, const char *format, va_list ap)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const locale_t had = plain ? uselocale(plain) : (locale_t)0;
    const int n = vsnprintf(out, capacity, format, ap);

    if (plain) {
        (void)uselocale(had);
        freelocale(plain);
    }
    if (n < 0 && capacity)
        out[0] = '\0';
    return n;
}

void mdm_format(char *out, size_t capacity, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    (void)mdm_format_list(out, capacity, format, ap);
    va_end(ap);
}

int mdm_utf8_length(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char c = p[0];
    /* The second byte's range rules out long forms, surrogates and what is above U+10FFFF. */
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    int length = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

    if (length < 2)
        return length;
    if (n < (size_t)length || p[1] < low || p[1] > high)
        return 0;
    for (int i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}
