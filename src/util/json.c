/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pull parser: one state, one bracket stack of fixed depth, one buffer for the last string. After
 * a failure the parser stands where it failed, so that asking again fails again.
 */
#include "util/json.h"

#include "util/alloc.h"
#include "util/checked.h"

#include <string.h>

enum state {
    VALUE,       /* a value must follow */
    FIRST_VALUE, /* a value or ] */
    FIRST_KEY,   /* a key or } */
    KEY,         /* a key */
    AFTER        /* a value is complete: comma, closing bracket, or the end */
};

void maskdm_json_open(struct maskdm_json *j, const char *bytes, size_t n)
{
    memset(j, 0, sizeof *j);
    j->at = j->start = bytes;
    j->end = bytes + n;
    j->state = VALUE;
}

void maskdm_json_close(struct maskdm_json *j)
{
    maskdm_free(j->text);
    memset(j, 0, sizeof *j);
}

static int wrong(const struct maskdm_json *j, const char *what)
{
    return maskdm_fail(MASKDM_EFORMAT, "JSON is wrong at byte %zu: %s", (size_t)(j->at - j->start), what);
}

/* Room for n bytes and the NUL. What was there is not kept. */
static int reserve(struct maskdm_json *j, size_t n)
{
    size_t need;
    char *fresh;

    if (maskdm_add_size(&need, n, 1))
        return maskdm_fail_memory(n, "a JSON string");
    if (need <= j->capacity)
        return MASKDM_OK;
    fresh = maskdm_malloc(need);
    if (!fresh)
        return maskdm_fail_memory(need, "a JSON string");
    maskdm_free(j->text);
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
static int unescape(struct maskdm_json *j, const char **at, const char *end)
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
        return wrong(j, "a string has an unknown escape");
    if (!c)
        return wrong(j, "a string contains NUL");
    s += 5;
    if (c >= 0xdc00 && c < 0xe000)
        return wrong(j, "a string has a lone surrogate");
    if (c >= 0xd800 && c < 0xdc00) {
        low = end - s >= 6 && s[0] == '\\' && s[1] == 'u' ? hex4(s + 2, end) : -1;
        if (low < 0xdc00 || low >= 0xe000)
            return wrong(j, "a string has a lone surrogate");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        s += 6;
    }
    j->length += encode(j->text + j->length, (uint32_t)c);
    *at = s;
    return MASKDM_OK;
}

/* The string whose opening quote is at j->at. Decoded it is never longer than as written. */
static int read_string(struct maskdm_json *j)
{
    const char *s = j->at + 1, *end = s;

    while (end < j->end && *end != '"')
        end += *end == '\\' && j->end - end > 1 ? 2 : 1;
    if (end >= j->end)
        return wrong(j, "a string does not end");
    MASKDM_TRY(reserve(j, (size_t)(end - s)));
    j->length = 0;
    while (s < end) {
        int n = maskdm_utf8_length(s, (size_t)(end - s));

        if (*s == '\\') {
            s++;
            MASKDM_TRY(unescape(j, &s, end));
            continue;
        }
        if ((unsigned char)*s < 0x20)
            return wrong(j, "a string contains a control character");
        if (!n)
            return wrong(j, "a string is not UTF-8");
        memcpy(j->text + j->length, s, (size_t)n);
        j->length += (size_t)n;
        s += n;
    }
    j->text[j->length] = '\0';
    j->at = end + 1;
    return MASKDM_OK;
}

static const char *digits(const char *s, const char *end)
{
    while (s < end && *s >= '0' && *s <= '9')
        s++;
    return s;
}

static int read_number(struct maskdm_json *j)
{
    const char *s = j->at, *from;

    if (*s == '-')
        s++;
    from = s;
    s = digits(s, j->end);
    if (s == from || (*from == '0' && s - from > 1))
        return wrong(j, "a value is expected");
    if (s < j->end && *s == '.') {
        from = ++s;
        s = digits(s, j->end);
        if (s == from)
            return wrong(j, "a number has no digit behind its point");
    }
    if (s < j->end && (*s == 'e' || *s == 'E')) {
        s++;
        if (s < j->end && (*s == '+' || *s == '-'))
            s++;
        from = s;
        s = digits(s, j->end);
        if (s == from)
            return wrong(j, "a number has no digit in its exponent");
    }
    j->length = (size_t)(s - j->at);
    MASKDM_TRY(reserve(j, j->length));
    memcpy(j->text, j->at, j->length);
    j->text[j->length] = '\0';
    j->at = s;
    j->state = AFTER;
    return MASKDM_JSON_NUMBER;
}

static int read_word(struct maskdm_json *j)
{
    static const struct { const char *word; int event; } words[] = {
        { "true", MASKDM_JSON_TRUE }, { "false", MASKDM_JSON_FALSE }, { "null", MASKDM_JSON_NULL }
    };

    for (size_t i = 0; i < MASKDM_LENGTH(words); i++) {
        size_t n = strlen(words[i].word);

        if ((size_t)(j->end - j->at) >= n && !memcmp(j->at, words[i].word, n)) {
            j->at += n;
            j->state = AFTER;
            return words[i].event;
        }
    }
    return read_number(j);
}

static int open_bracket(struct maskdm_json *j)
{
    int object = *j->at == '{';

    if (j->depth == MASKDM_JSON_DEPTH)
        return wrong(j, "it is nested too deep");
    j->stack[j->depth++] = (unsigned char)*j->at++;
    j->state = object ? FIRST_KEY : FIRST_VALUE;
    return object ? MASKDM_JSON_OBJECT : MASKDM_JSON_ARRAY;
}

static int close_bracket(struct maskdm_json *j)
{
    int object = *j->at == '}';

    if (!j->depth || j->stack[j->depth - 1] != (object ? '{' : '['))
        return wrong(j, "a bracket closes nothing");
    j->depth--;
    j->at++;
    j->state = AFTER;
    return object ? MASKDM_JSON_OBJECT_END : MASKDM_JSON_ARRAY_END;
}

static void skip_space(struct maskdm_json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
        j->at++;
}

static int read_value(struct maskdm_json *j)
{
    switch (*j->at) {
    case '{':
    case '[':
        return open_bracket(j);
    case '"':
        MASKDM_TRY(read_string(j));
        j->state = AFTER;
        return MASKDM_JSON_STRING;
    default:
        return read_word(j);
    }
}

static int read_key(struct maskdm_json *j)
{
    const char *from = j->at;

    if (*from != '"')
        return wrong(j, "a name in quotes is expected");
    MASKDM_TRY(read_string(j));
    skip_space(j);
    if (j->at == j->end || *j->at != ':') {
        (void)wrong(j, "a colon is expected");
        j->at = from;
        return MASKDM_EFORMAT;
    }
    j->at++;
    j->state = VALUE;
    return MASKDM_JSON_KEY;
}

int maskdm_json_next(struct maskdm_json *j)
{
    skip_space(j);
    if (j->state == AFTER && !j->depth)
        return j->at == j->end ? MASKDM_JSON_END : wrong(j, "something follows the end");
    if (j->at == j->end)
        return wrong(j, "it ends too early");
    if (j->state == AFTER) {
        if (*j->at != ',')
            return *j->at == ']' || *j->at == '}' ? close_bracket(j) : wrong(j, "a comma is expected");
        j->at++;
        j->state = j->stack[j->depth - 1] == '{' ? KEY : VALUE;
        skip_space(j);
        if (j->at == j->end)
            return wrong(j, "it ends too early");
    }
    if ((j->state == FIRST_VALUE && *j->at == ']') || (j->state == FIRST_KEY && *j->at == '}'))
        return close_bracket(j);
    return j->state == KEY || j->state == FIRST_KEY ? read_key(j) : read_value(j);
}

int maskdm_json_expect(struct maskdm_json *j, enum maskdm_json_event event)
{
    static const char *const names[] = { "the end", "an object", "the end of an object", "an array",
                                         "the end of an array", "a name", "a string", "a number", "true", "false",
                                         "null" };
    int got = maskdm_json_next(j);

    if (got < 0 || got == (int)event)
        return got;
    return maskdm_fail(MASKDM_EFORMAT, "JSON is wrong before byte %zu: %s is expected, not %s",
                       (size_t)(j->at - j->start), names[event], names[got]);
}

int maskdm_json_skip(struct maskdm_json *j, int event)
{
    int depth = j->depth;

    if (event != MASKDM_JSON_OBJECT && event != MASKDM_JSON_ARRAY)
        return MASKDM_OK;
    while (j->depth >= depth)
        MASKDM_TRY(maskdm_json_next(j));
    return MASKDM_OK;
}

int maskdm_json_u63(const struct maskdm_json *j, int64_t *out)
{
    const char *s = j->text ? j->text : "";

    if (*s < '0' || *s > '9' || maskdm_parse_i64(s, out))
        return maskdm_fail(MASKDM_EFORMAT, "JSON number %.40s is not an integer from 0 to 2^63-1", s);
    return MASKDM_OK;
}

int maskdm_json_double(const struct maskdm_json *j, double *out)
{
    const char *s = j->text ? j->text : "";

    if (maskdm_parse_double(s, out))
        return maskdm_fail(MASKDM_EFORMAT, "JSON number %.40s is out of range", s);
    return MASKDM_OK;
}
