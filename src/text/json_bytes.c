/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings of any bytes in JSON, which knows UTF-8 only. A path is bytes; what is not UTF-8 in it is written as
 * characters U+EF80 to U+EFFF of the private use area, one for each byte from 0x80 to 0xff. Such a character that a
 * path holds by itself would read as that byte: it is written as its own three bytes, so that every sequence of bytes
 * comes back as it was.
 */
#include "base/format.h"
#include "text/json.h"
#include "text/text.h"

#include <string.h>

/* Whether U+EF80 to U+EFFF stands at s. */
static int is_byte_mark(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;

    return n >= 3 && p[0] == 0xee && (p[1] == 0xbe || p[1] == 0xbf) && (p[2] & 0xc0) == 0x80;
}

void mdm_text_add_json_bytes(struct mdm_text *t, const char *s)
{
    size_t left = strlen(s);

    mdm_text_add_n(t, "\"", 1);
    while (left) {
        int n = is_byte_mark(s, left) ? 0 : mdm_utf8_length(s, left);

        if (n)
            mdm_text_add_json_char(t, s, n);
        else
            mdm_text_addf(t, "\\uef%02x", (unsigned char)*s);
        s += n ? n : 1;
        left -= (size_t)(n ? n : 1);
    }
    mdm_text_add_n(t, "\"", 1);
}

void mdm_json_bytes(struct mdm_json *j)
{
    size_t from = 0, to = 0;

    while (from < j->length) {
        const char *s = j->text + from;

        if (is_byte_mark(s, j->length - from)) {
            j->text[to++] = (char)(((unsigned char)s[1] & 1) << 6 | (unsigned char)s[2]);
            from += 3;
        } else {
            j->text[to++] = *s;
            from++;
        }
    }
    j->text[j->length = to] = '\0';
}
