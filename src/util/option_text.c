/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options from and to text: "name=value ..." and flat JSON. Both fill a copy that replaces the values only when
 * all of it was right.
 */
#include "util/option.h"

#include "util/alloc.h"
#include "util/error.h"
#include "util/option_set.h"

#include <string.h>

/* Move the values of *copy, which is of the same kind, into o. */
static void adopt(maskdm_options *o, maskdm_options **copy)
{
    for (int i = 0; i < o->count; i++) {
        char *old = o->slot[i].value;

        o->slot[i].value = (*copy)->slot[i].value;
        o->slot[i].set = (*copy)->slot[i].set;
        (*copy)->slot[i].value = old;
    }
    maskdm_optionset_release(copy);
}

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A value up to the next space, or in quotes; *at moves behind it. */
static int read_value(struct maskdm_text *t, const char **at)
{
    const char *s = *at;

    maskdm_text_add(t, "");
    if (*s != '"') {
        while (*s && !is_space(*s))
            s++;
        maskdm_text_add_n(t, *at, (size_t)(s - *at));
        *at = s;
        return maskdm_text_ok(t);
    }
    for (s++; *s && *s != '"'; s++) {
        if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
            s++;
        maskdm_text_add_n(t, s, 1);
    }
    if (*s != '"')
        return maskdm_fail(MASKDM_EINVAL, "a quoted value does not end: %.80s", *at);
    *at = s + 1;
    if (**at && !is_space(**at))
        return maskdm_fail(MASKDM_EINVAL, "a space is missing behind a quoted value: %.80s", *at);
    return maskdm_text_ok(t);
}

static int parse_one(maskdm_options *o, const char **at)
{
    size_t n = strcspn(*at, "= \t\r\n\"");
    struct maskdm_text value = {0};
    char *name;
    int status;

    if ((*at)[n] != '=' || !n)
        return maskdm_fail(MASKDM_EINVAL, "name=value is expected, not \"%.80s\"", *at);
    name = maskdm_strndup(*at, n);
    if (!name)
        return maskdm_fail_memory(n + 1, "an option's name");
    *at += n + 1;
    status = read_value(&value, at);
    if (status >= 0)
        status = maskdm_optionset_set(o, name, value.data);
    maskdm_text_free(&value);
    maskdm_free(name);
    return status;
}

int maskdm_optionset_parse(maskdm_options *o, const char *text)
{
    maskdm_options *copy;
    int status = MASKDM_OK;

    MASKDM_TRY(maskdm_optionset_clone(&copy, o));
    while (status >= 0) {
        while (is_space(*text))
            text++;
        if (!*text)
            break;
        status = parse_one(copy, &text);
    }
    if (status < 0)
        maskdm_optionset_release(&copy);
    else
        adopt(o, &copy);
    return status;
}

/* An array of numbers as "a,b,c". */
static int read_array(struct maskdm_text *t, struct maskdm_json *j)
{
    for (int first = 1;; first = 0) {
        int event = maskdm_json_next(j);

        if (event == MASKDM_JSON_ARRAY_END)
            return maskdm_text_ok(t);
        if (event < 0)
            return event;
        if (event != MASKDM_JSON_NUMBER)
            return maskdm_fail(MASKDM_EFORMAT, "a list of options holds something other than numbers");
        maskdm_text_addf(t, "%s%s", first ? "" : ",", j->text);
    }
}

static int read_json_value(maskdm_options *o, const char *name, struct maskdm_json *j)
{
    struct maskdm_option_slot *s;
    struct maskdm_text list = {0};
    int event, status;

    MASKDM_TRY(maskdm_option_need(&s, o, name));
    event = maskdm_json_next(j);
    if (event < 0)
        return event;
    if (event == MASKDM_JSON_NULL)
        return maskdm_option_reset(s);
    if (event == MASKDM_JSON_TRUE || event == MASKDM_JSON_FALSE)
        return maskdm_optionset_set_number(o, name, event == MASKDM_JSON_TRUE ? "true" : "false");
    if (event == MASKDM_JSON_NUMBER)
        return maskdm_optionset_set_number(o, name, j->text);
    if (event == MASKDM_JSON_STRING) {
        maskdm_json_bytes(j);
        return strlen(j->text) == j->length ? maskdm_optionset_set(o, name, j->text)
                                            : maskdm_fail(MASKDM_EFORMAT, "option %s contains NUL", s->said);
    }
    if (event != MASKDM_JSON_ARRAY)
        return maskdm_fail(MASKDM_EFORMAT, "option %s is an object", s->said);
    maskdm_text_add(&list, "");
    status = read_array(&list, j);
    if (status >= 0)
        status = maskdm_optionset_set_number(o, name, list.data);
    maskdm_text_free(&list);
    return status;
}

static int read_members(maskdm_options *o, struct maskdm_json *j)
{
    MASKDM_TRY(maskdm_json_expect(j, MASKDM_JSON_OBJECT));
    for (;;) {
        int event = maskdm_json_next(j), status;
        char *name;

        if (event < 0 || event == MASKDM_JSON_OBJECT_END)
            return event < 0 ? event : MASKDM_OK;
        name = maskdm_strdup(j->text);
        if (!name)
            return maskdm_fail_memory(j->length + 1, "an option's name");
        status = read_json_value(o, name, j);
        maskdm_free(name);
        MASKDM_TRY(status);
    }
}

static int fill(maskdm_options *o, struct maskdm_json *j, int whole)
{
    maskdm_options *copy;
    int status;

    MASKDM_TRY(maskdm_optionset_clone(&copy, o));
    status = read_members(copy, j);
    if (status >= 0 && whole)
        status = maskdm_json_expect(j, MASKDM_JSON_END);
    if (status < 0)
        maskdm_optionset_release(&copy);
    else
        adopt(o, &copy);
    return status;
}

int maskdm_optionset_read_json(maskdm_options *o, struct maskdm_json *j)
{
    return fill(o, j, 0);
}

int maskdm_optionset_parse_json(maskdm_options *o, const char *json, size_t bytes)
{
    struct maskdm_json j;
    int status;

    maskdm_json_open(&j, json, bytes);
    status = fill(o, &j, 1);
    maskdm_json_close(&j);
    return status;
}

static void write_value(struct maskdm_text *out, const struct maskdm_option_slot *s)
{
    enum maskdm_option_type type = s->option->type;

    if (type == MASKDM_OPTION_STRING || type == MASKDM_OPTION_CHOICE)
        maskdm_text_add_json_bytes(out, s->value);
    else if (type == MASKDM_OPTION_INT_LIST || type == MASKDM_OPTION_FLOAT_LIST)
        maskdm_text_addf(out, "[%s]", s->value);
    else
        maskdm_text_add(out, s->value);
}

void maskdm_optionset_write_json(const maskdm_options *o, struct maskdm_text *out)
{
    int first = 1;

    maskdm_text_add(out, "{");
    for (int i = 0; i < o->count; i++) {
        const struct maskdm_option_slot *s = &o->slot[i];

        if (!s->value || !maskdm_option_belongs(o, s))
            continue;
        maskdm_text_add(out, first ? "" : ", ");
        maskdm_text_add_json(out, s->name);
        maskdm_text_add(out, ": ");
        write_value(out, s);
        first = 0;
    }
    maskdm_text_add(out, "}");
}
