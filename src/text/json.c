/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pull parser: one state, one bracket stack of fixed depth, one buffer for the last string. After
 * a failure the parser stands where it failed, so that asking again fails again.
 */
#include "text/json.h"

#include "base/alloc.h"
#include "text/json_string.h"
#include "text/number.h"

#include <string.h>

enum state {
    VALUE,       /* a value must follow */
    FIRST_VALUE, /* a value or ] */
    FIRST_KEY,   /* a key or } */
    KEY,         /* a key */
    AFTER        /* a value is complete: comma, closing bracket, or the end */
};

void mdm_json_open(struct mdm_json *j, const char *bytes, size_t n)
{
    memset(j, 0, sizeof *j);
    j->at = j->start = bytes;
    j->end = bytes + n;
    j->state = VALUE;
}

void mdm_json_close(struct mdm_json *j)
{
    mdm_free(j->text);
    memset(j, 0, sizeof *j);
}

static const char *digits(const char *s, const char *end)
{
    while (s < end && *s >= '0' && *s <= '9')
        s++;
    return s;
}

static int read_number(struct mdm_json *j)
{
    const char *s = j->at, *from;

    if (*s == '-')
        s++;
    from = s;
    s = digits(s, j->end);
    if (s == from || (*from == '0' && s - from > 1))
        return mdm_json_wrong(j, "a value is expected");
    if (s < j->end && *s == '.') {
        from = ++s;
        s = digits(s, j->end);
        if (s == from)
            return mdm_json_wrong(j, "a number has no digit behind its point");
    }
    if (s < j->end && (*s == 'e' || *s == 'E')) {
        s++;
        if (s < j->end && (*s == '+' || *s == '-'))
            s++;
        from = s;
        s = digits(s, j->end);
        if (s == from)
            return mdm_json_wrong(j, "a number has no digit in its exponent");
    }
    j->length = (size_t)(s - j->at);
    MDM_TRY(mdm_json_reserve(j, j->length));
    memcpy(j->text, j->at, j->length);
    j->text[j->length] = '\0';
    j->at = s;
    j->state = AFTER;
    return MDM_JSON_NUMBER;
}

static int read_word(struct mdm_json *j)
{
    static const struct { const char *word; int event; } words[] = {
        { "true", MDM_JSON_TRUE }, { "false", MDM_JSON_FALSE }, { "null", MDM_JSON_NULL }
    };

    for (size_t i = 0; i < MDM_LENGTH(words); i++) {
        size_t n = strlen(words[i].word);

        if ((size_t)(j->end - j->at) >= n && !memcmp(j->at, words[i].word, n)) {
            j->at += n;
            j->state = AFTER;
            return words[i].event;
        }
    }
    return read_number(j);
}

static int open_bracket(struct mdm_json *j)
{
    int object = *j->at == '{';

    if (j->depth == MDM_JSON_DEPTH)
        return mdm_json_wrong(j, "it is nested too deep");
    j->stack[j->depth++] = (unsigned char)*j->at++;
    j->state = object ? FIRST_KEY : FIRST_VALUE;
    return object ? MDM_JSON_OBJECT : MDM_JSON_ARRAY;
}

static int close_bracket(struct mdm_json *j)
{
    int object = *j->at == '}';

    if (!j->depth || j->stack[j->depth - 1] != (object ? '{' : '['))
        return mdm_json_wrong(j, "a bracket closes nothing");
    j->depth--;
    j->at++;
    j->state = AFTER;
    return object ? MDM_JSON_OBJECT_END : MDM_JSON_ARRAY_END;
}

/* 1: a comment was passed over. */
static int skip_comment(struct mdm_json *j)
{
    const char *s = j->at + 2;

    if (!j->comments || j->end - j->at < 2 || *j->at != '/' || (j->at[1] != '/' && j->at[1] != '*'))
        return 0;
    if (j->at[1] == '/') {
        while (s < j->end && *s != '\n')
            s++;
        j->at = s;
        return 1;
    }
    while (j->end - s >= 2 && (s[0] != '*' || s[1] != '/'))
        s++;
    if (j->end - s < 2)
        return mdm_json_wrong(j, "a comment does not end");
    j->at = s + 2;
    return 1;
}

static int skip_space(struct mdm_json *j)
{
    int passed = 1;

    while (passed > 0) {
        while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
            j->at++;
        passed = skip_comment(j);
    }
    return passed;
}

static int read_value(struct mdm_json *j)
{
    switch (*j->at) {
    case '{':
    case '[':
        return open_bracket(j);
    case '"':
        MDM_TRY(mdm_json_read_string(j));
        j->state = AFTER;
        return MDM_JSON_STRING;
    default:
        return read_word(j);
    }
}

static int read_key(struct mdm_json *j)
{
    const char *from = j->at;

    if (*from != '"')
        return mdm_json_wrong(j, "a name in quotes is expected");
    MDM_TRY(mdm_json_read_string(j));
    MDM_TRY(skip_space(j));
    if (j->at == j->end || *j->at != ':') {
        (void)mdm_json_wrong(j, "a colon is expected");
        j->at = from;
        return MASKDM_EFORMAT;
    }
    j->at++;
    j->state = VALUE;
    return MDM_JSON_KEY;
}

int mdm_json_next(struct mdm_json *j)
{
    MDM_TRY(skip_space(j));
    if (j->state == AFTER && !j->depth)
        return j->at == j->end ? MDM_JSON_END : mdm_json_wrong(j, "something follows the end");
    if (j->at == j->end)
        return mdm_json_wrong(j, "it ends too early");
    if (j->state == AFTER) {
        if (*j->at != ',')
            return *j->at == ']' || *j->at == '}' ? close_bracket(j) : mdm_json_wrong(j, "a comma is expected");
        j->at++;
        j->state = j->stack[j->depth - 1] == '{' ? KEY : VALUE;
        MDM_TRY(skip_space(j));
        if (j->at == j->end)
            return mdm_json_wrong(j, "it ends too early");
    }
    if ((j->state == FIRST_VALUE && *j->at == ']') || (j->state == FIRST_KEY && *j->at == '}'))
        return close_bracket(j);
    return j->state == KEY || j->state == FIRST_KEY ? read_key(j) : read_value(j);
}

int mdm_json_expect(struct mdm_json *j, enum mdm_json_event event)
{
    static const char *const names[] = { "the end", "an object", "the end of an object", "an array",
                                         "the end of an array", "a name", "a string", "a number", "true", "false",
                                         "null" };
    int got = mdm_json_next(j);

    if (got < 0 || got == (int)event)
        return got;
    if (j->comments)
        return mdm_fail(MASKDM_EFORMAT, "JSON is wrong in line %zu: %s is expected, not %s", mdm_json_line(j),
                        names[event], names[got]);
    return mdm_fail(MASKDM_EFORMAT, "JSON is wrong before byte %zu: %s is expected, not %s",
                    (size_t)(j->at - j->start), names[event], names[got]);
}

int mdm_json_skip(struct mdm_json *j, int event)
{
    int depth = j->depth;

    if (event != MDM_JSON_OBJECT && event != MDM_JSON_ARRAY)
        return MASKDM_OK;
    while (j->depth >= depth)
        MDM_TRY(mdm_json_next(j));
    return MASKDM_OK;
}

int mdm_json_u63(const struct mdm_json *j, int64_t *out)
{
    const char *s = j->text ? j->text : "";

    if (*s < '0' || *s > '9' || mdm_parse_i64(s, out))
        return mdm_fail(MASKDM_EFORMAT, "JSON number %.40s is not an integer from 0 to 2^63-1", s);
    return MASKDM_OK;
}

int mdm_json_double(const struct mdm_json *j, double *out)
{
    const char *s = j->text ? j->text : "";

    if (mdm_parse_double(s, out))
        return mdm_fail(MASKDM_EFORMAT, "JSON number %.40s is out of range", s);
    return MASKDM_OK;
}
