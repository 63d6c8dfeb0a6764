/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pull parser: one state, one bracket stack of fixed depth, one buffer for the last string. After
 * a failure the parser stands where it failed, so that asking again fails again.
 */
#include "util/json.h"

#include "util/alloc.h"
#include "util/json_string.h"

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
        return maskdm_json_wrong(j, "a value is expected");
    if (s < j->end && *s == '.') {
        from = ++s;
        s = digits(s, j->end);
        if (s == from)
            return maskdm_json_wrong(j, "a number has no digit behind its point");
    }
    if (s < j->end && (*s == 'e' || *s == 'E')) {
        s++;
        if (s < j->end && (*s == '+' || *s == '-'))
            s++;
        from = s;
        s = digits(s, j->end);
        if (s == from)
            return maskdm_json_wrong(j, "a number has no digit in its exponent");
    }
    j->length = (size_t)(s - j->at);
    MASKDM_TRY(maskdm_json_reserve(j, j->length));
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
        return maskdm_json_wrong(j, "it is nested too deep");
    j->stack[j->depth++] = (unsigned char)*j->at++;
    j->state = object ? FIRST_KEY : FIRST_VALUE;
    return object ? MASKDM_JSON_OBJECT : MASKDM_JSON_ARRAY;
}

static int close_bracket(struct maskdm_json *j)
{
    int object = *j->at == '}';

    if (!j->depth || j->stack[j->depth - 1] != (object ? '{' : '['))
        return maskdm_json_wrong(j, "a bracket closes nothing");
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
        MASKDM_TRY(maskdm_json_read_string(j));
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
        return maskdm_json_wrong(j, "a name in quotes is expected");
    MASKDM_TRY(maskdm_json_read_string(j));
    skip_space(j);
    if (j->at == j->end || *j->at != ':') {
        (void)maskdm_json_wrong(j, "a colon is expected");
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
        return j->at == j->end ? MASKDM_JSON_END : maskdm_json_wrong(j, "something follows the end");
    if (j->at == j->end)
        return maskdm_json_wrong(j, "it ends too early");
    if (j->state == AFTER) {
        if (*j->at != ',')
            return *j->at == ']' || *j->at == '}' ? close_bracket(j) : maskdm_json_wrong(j, "a comma is expected");
        j->at++;
        j->state = j->stack[j->depth - 1] == '{' ? KEY : VALUE;
        skip_space(j);
        if (j->at == j->end)
            return maskdm_json_wrong(j, "it ends too early");
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
