/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings of the JSON parser: found whole, then checked and decoded into the one buffer.
 */
#include "text/json_string.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/format.h"
#include "text/json.h"

#include <string.h>

size_t mdm_json_line(const struct mdm_json *j)
{
    size_t line = 1;

    for (const char *s = j->start; s < j->at; s++)
        line += *s == '\n';
    return line;
}

int mdm_json_wrong(const struct mdm_json *j, const char *what)
{
    if (j->comments)
        return mdm_fail(MASKDM_EFORMAT, "JSON is wrong in line %zu: %s", mdm_json_line(j), what);
    return mdm_fail(MASKDM_EFORMAT, "JSON is wrong at byte %zu: %s", (size_t)(j->at - j->start), what);
}

int mdm_json_reserve(struct mdm_json *j, size_t n)
{
    size_t need;
    char *fresh;

    if (mdm_add_size(&need, n, 1))
        return mdm_fail_memory(n, "a JSON string");
    if (need <= j->capacity)
        return MASKDM_OK;
    fresh = mdm_malloc(need);
    if (!fresh)
        return mdm_fail_memory(need, "a JSON string");
    mdm_free(j->text);
    j->text = fresh;
    j->capacity = need;
    return MASKDM_OK;
}

/* Four hexadecimal digits at s, or -1. */
static int hex4(const char *s, const char *end)
{
    static const char digit[] = "0123456789abcdef0123456789ABCDEF";
    int v = 0;

    if (end - s < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *d = s[i] ? strchr(digit, s[i]) : NULL;

        if (!d)
            return -1;
        v = v << 4 | (int)((d - digit) & 15);
    }
    return v;
}

static size_t encode(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* What follows a backslash; *at moves behind it. */
static int unescape(struct mdm_json *j, const char **at, const char *end)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *s = *at, *which = *s ? strchr(from, *s) : NULL;
    int c, low;

    if (which) {
        j->text[j->length++] = to[which - from];
        *at = s + 1;
        return MASKDM_OK;
    }
    c = *s == 'u' ? hex4(s + 1, end) : -1;
    if (c < 0)
        return mdm_json_wrong(j, "a string has an unknown escape");
    if (!c)
        return mdm_json_wrong(j, "a string contains NUL");
    s += 5;
    if (c >= 0xdc00 && c < 0xe000)
        return mdm_json_wrong(j, "a string has a lone surrogate");
    if (c >= 0xd800 && c < 0xdc00) {
        low = end - s >= 6 && s[0] == '\\' && s[1] == 'u' ? hex4(s + 2, end) : -1;
        if (low < 0xdc00 || low >= 0xe000)
            return mdm_json_wrong(j, "a string has a lone surrogate");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        s += 6;
    }
    j->length += encode(j->text + j->length, (uint32_t)c);
    *at = s;
    return MASKDM_OK;
}

/* Decoded it is never longer than as written. */
int mdm_json_read_string(struct mdm_json *j)
{
    const char *s = j->at + 1, *end = s;

    while (end < j->end && *end != '"')
        end += *end == '\\' && j->end - end > 1 ? 2 : 1;
    if (end >= j->end)
        return mdm_json_wrong(j, "a string does not end");
    MDM_TRY(mdm_json_reserve(j, (size_t)(end - s)));
    j->length = 0;
    while (s < end) {
        int n = mdm_utf8_length(s, (size_t)(end - s));

        if (*s == '\\') {
            s++;
            MDM_TRY(unescape(j, &s, end));
            continue;
        }
        if ((unsigned char)*s < 0x20)
            return mdm_json_wrong(j, "a string contains a control character");
        if (!n)
            return mdm_json_wrong(j, "a string is not UTF-8");
        memcpy(j->text + j->length, s, (size_t)n);
        j->length += (size_t)n;
        s += n;
    }
    j->text[j->length] = '\0';
    j->at = end + 1;
    return MASKDM_OK;
}
