/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text that grows. Errors are sticky, so that a writer of many pieces checks once at its end.
 */
#include "text/text.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/format.h"
#include "text/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for n more bytes and the NUL. */
static int reserve(struct mdm_text *t, size_t n)
{
    size_t need, capacity = t->capacity ? t->capacity : 64;
    char *grown;

    if (t->failed)
        return -1;
    if (mdm_add_size(&need, t->length, n) || mdm_add_size(&need, need, 1)) {
        t->failed = 1;
        return -1;
    }
    if (need <= t->capacity)
        return 0;
    while (capacity < need)
        if (mdm_mul_size(&capacity, capacity, 2))
            capacity = need;
    grown = mdm_realloc(t->data, capacity);
    if (!grown) {
        t->failed = 1;
        return -1;
    }
    t->data = grown;
    t->capacity = capacity;
    return 0;
}

void mdm_text_add_n(struct mdm_text *t, const char *s, size_t n)
{
    if (reserve(t, n))
        return;
    if (n)
        memcpy(t->data + t->length, s, n);
    t->length += n;
    t->data[t->length] = '\0';
}

void mdm_text_add(struct mdm_text *t, const char *s)
{
    mdm_text_add_n(t, s, strlen(s));
}

void mdm_text_addf(struct mdm_text *t, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = mdm_format_list(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0)
        t->failed = 1;
    if (n < 0 || reserve(t, (size_t)n))
        return;
    va_start(ap, format);
    (void)mdm_format_list(t->data + t->length, (size_t)n + 1, format, ap);
    va_end(ap);
    t->length += (size_t)n;
}

void mdm_text_add_json_char(struct mdm_text *t, const char *s, int n)
{
    unsigned char c = (unsigned char)*s;

    if (c == '"' || c == '\\')
        mdm_text_addf(t, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
        mdm_text_addf(t, "\\u%04x", c);
    else
        mdm_text_add_n(t, s, (size_t)n);
}

void mdm_text_add_json(struct mdm_text *t, const char *s)
{
    size_t left = strlen(s);

    mdm_text_add_n(t, "\"", 1);
    while (left) {
        int n = mdm_utf8_length(s, left);

        if (n)
            mdm_text_add_json_char(t, s, n);
        else
            mdm_text_add(t, "\xef\xbf\xbd");
        s += n ? n : 1;
        left -= (size_t)(n ? n : 1);
    }
    mdm_text_add_n(t, "\"", 1);
}

/* Digits d of value d[0].d[1]... times 10^exponent, laid out as the shorter of the two usual forms. */
static void add_decimal(struct mdm_text *t, int negative, const char *d, int n, int exponent)
{
    if (negative)
        mdm_text_add_n(t, "-", 1);
    if (exponent < -5 || exponent > 16) {
        mdm_text_add_n(t, d, 1);
        if (n > 1)
            mdm_text_addf(t, ".%.*s", n - 1, d + 1);
        mdm_text_addf(t, "e%d", exponent);
    } else if (exponent < 0) {
        mdm_text_addf(t, "0.%.*s%.*s", -exponent - 1, "0000", n, d);
    } else if (n <= exponent + 1) {
        mdm_text_addf(t, "%.*s%.*s", n, d, exponent + 1 - n, "0000000000000000");
    } else {
        mdm_text_addf(t, "%.*s.%.*s", exponent + 1, d, n - exponent - 1, d + exponent + 1);
    }
}

void mdm_text_add_double(struct mdm_text *t, double x)
{
    char printed[64], digit[20], plain[32];
    int64_t power = 0;
    double back;
    int n;

    if (!isfinite(x)) {
        mdm_text_add(t, "null");
        return;
    }
    for (int precision = 0; precision < 17; precision++) {
        const char *p = printed;

        /* Only ASCII digits and the exponent are taken over: the decimal point is the host locale's and may
         * be any string. */
        (void)snprintf(printed, sizeof printed, "%.*e", precision, fabs(x));
        for (n = 0; *p && *p != 'e'; p++)
            if (*p >= '0' && *p <= '9' && n < 17)
                digit[n++] = *p;
        (void)mdm_parse_i64(*p ? p + 1 : "0", &power);
        (void)snprintf(plain, sizeof plain, "%.*se%d", n, digit, (int)power - (n - 1));
        if (!mdm_parse_double(plain, &back) && back == fabs(x))
            break;
    }
    while (n > 1 && digit[n - 1] == '0')
        n--;
    add_decimal(t, signbit(x) != 0, digit, n, (int)power);
}

void mdm_text_free(struct mdm_text *t)
{
    static const struct mdm_text empty;

    mdm_free(t->data);
    *t = empty;
}

int mdm_text_ok(const struct mdm_text *t)
{
    return t->failed ? mdm_fail_memory(t->capacity ? 2 * t->capacity : 64, "a text") : MASKDM_OK;
}
