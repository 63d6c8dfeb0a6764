/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options from and to text: "name=value ..." and flat JSON. Both fill a copy that replaces the values only when
 * all of it was right.
 */
#include "option/option.h"

#include "base/alloc.h"
#include "base/error.h"
#include "option/option_set.h"
#include "text/json.h"
#include "text/text.h"

#include <string.h>

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A value up to the next space, or in quotes; *at moves behind it. */
static int read_value(struct mdm_text *t, const char **at)
{
    const char *s = *at;

    mdm_text_add(t, "");
    if (*s != '"') {
        while (*s && !is_space(*s))
            s++;
        mdm_text_add_n(t, *at, (size_t)(s - *at));
        *at = s;
        return mdm_text_ok(t);
    }
    for (s++; *s && *s != '"'; s++) {
        if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
            s++;
        mdm_text_add_n(t, s, 1);
    }
    if (*s != '"')
        return mdm_fail(MASKDM_EINVAL, "a quoted value does not end: %.80s", *at);
    *at = s + 1;
    if (**at && !is_space(**at))
        return mdm_fail(MASKDM_EINVAL, "a space is missing behind a quoted value: %.80s", *at);
    return mdm_text_ok(t);
}

static int parse_one(maskdm_options *o, const char **at)
{
    size_t n = strcspn(*at, "= \t\r\n\"");
    struct mdm_text value = {0};
    char *name;
    int status;

    if ((*at)[n] != '=' || !n)
        return mdm_fail(MASKDM_EINVAL, "name=value is expected, not \"%.80s\"", *at);
    name = mdm_strndup(*at, n);
    if (!name)
        return mdm_fail_memory(n + 1, "an option's name");
    *at += n + 1;
    status = read_value(&value, at);
    if (status >= 0)
        status = mdm_options_set(o, name, value.data);
    mdm_text_free(&value);
    mdm_free(name);
    return status;
}

int mdm_options_parse(maskdm_options *o, const char *text)
{
    maskdm_options *copy;
    int status = MASKDM_OK;

    MDM_TRY(mdm_options_clone(&copy, o));
    while (status >= 0) {
        while (is_space(*text))
            text++;
        if (!*text)
            break;
        status = parse_one(copy, &text);
    }
    return mdm_option_adopt(o, &copy, status);
}

/* An array of numbers as "a,b,c". */
static int read_array(struct mdm_text *t, struct mdm_json *j)
{
    for (int first = 1;; first = 0) {
        int event = mdm_json_next(j);

        if (event == MDM_JSON_ARRAY_END)
            return mdm_text_ok(t);
        if (event < 0)
            return event;
        if (event != MDM_JSON_NUMBER)
            return mdm_fail(MASKDM_EFORMAT, "a list of options holds something other than numbers");
        mdm_text_addf(t, "%s%s", first ? "" : ",", j->text);
    }
}

static int read_json_value(maskdm_options *o, const char *name, struct mdm_json *j)
{
    struct mdm_option_slot *s;
    struct mdm_text list = {0};
    int event, status;

    MDM_TRY(mdm_option_need(&s, o, name));
    event = mdm_json_next(j);
    if (event < 0)
        return event;
    if (event == MDM_JSON_NULL)
        return mdm_option_reset(o, s);
    if (event == MDM_JSON_TRUE || event == MDM_JSON_FALSE)
        return mdm_options_set_number(o, name, event == MDM_JSON_TRUE ? "true" : "false");
    if (event == MDM_JSON_NUMBER)
        return mdm_options_set_number(o, name, j->text);
    if (event == MDM_JSON_STRING) {
        mdm_json_bytes(j);
        return strlen(j->text) == j->length ? mdm_options_set(o, name, j->text)
                                            : mdm_fail(MASKDM_EFORMAT, "option %s contains NUL", s->said);
    }
    if (event != MDM_JSON_ARRAY)
        return mdm_fail(MASKDM_EFORMAT, "option %s is an object", s->said);
    mdm_text_add(&list, "");
    status = read_array(&list, j);
    if (status >= 0)
        status = mdm_options_set_number(o, name, list.data);
    mdm_text_free(&list);
    return status;
}

static int read_format(struct mdm_json *j)
{
    int64_t format;

    MDM_TRY(mdm_json_expect(j, MDM_JSON_NUMBER));
    if (mdm_json_u63(j, &format) < 0 || format != MDM_OPTIONS_FORMAT)
        return mdm_fail(MASKDM_EVERSION, "options in format %.20s; format %d is read", j->text, MDM_OPTIONS_FORMAT);
    return MASKDM_OK;
}

static int read_members(maskdm_options *o, struct mdm_json *j)
{
    MDM_TRY(mdm_json_expect(j, MDM_JSON_OBJECT));
    for (;;) {
        int event = mdm_json_next(j), status;
        char *name;

        if (event < 0 || event == MDM_JSON_OBJECT_END)
            return event < 0 ? event : MASKDM_OK;
        name = mdm_strdup(j->text);
        if (!name)
            return mdm_fail_memory(j->length + 1, "an option's name");
        status = strcmp(name, MDM_OPTIONS_FORMAT_KEY) ? read_json_value(o, name, j) : read_format(j);
        mdm_free(name);
        MDM_TRY(status);
    }
}

static int fill(maskdm_options *o, struct mdm_json *j, int whole)
{
    maskdm_options *copy;
    int status;

    MDM_TRY(mdm_options_clone(&copy, o));
    status = read_members(copy, j);
    if (status >= 0 && whole)
        status = mdm_json_expect(j, MDM_JSON_END);
    return mdm_option_adopt(o, &copy, status);
}

int mdm_options_read_json(maskdm_options *o, struct mdm_json *j)
{
    return fill(o, j, 0);
}

int mdm_options_parse_json(maskdm_options *o, const char *json, size_t bytes)
{
    struct mdm_json j;
    int status;

    mdm_json_open(&j, json, bytes);
    status = fill(o, &j, 1);
    mdm_json_close(&j);
    return status;
}

static void write_value(struct mdm_text *out, const struct mdm_option_slot *s)
{
    enum maskdm_option_type type = s->place.option->type;

    if (type == MASKDM_OPTION_STRING || type == MASKDM_OPTION_CHOICE)
        mdm_text_add_json_bytes(out, s->value.text);
    else if (type == MASKDM_OPTION_INT_LIST || type == MASKDM_OPTION_FLOAT_LIST)
        mdm_text_addf(out, "[%s]", s->value.text);
    else
        mdm_text_add(out, s->value.text);
}

static void write_json(const maskdm_options *o, int given_alone, struct mdm_text *out)
{
    int first = 1;

    mdm_text_add(out, "{");
    for (int i = 0; i < o->count; i++) {
        const struct mdm_option_slot *s = &o->slot[i];

        if (!s->value.text || !mdm_option_belongs(o, s) || (given_alone && !s->set))
            continue;
        mdm_text_add(out, first ? "" : ", ");
        mdm_text_add_json(out, s->name);
        mdm_text_add(out, ": ");
        write_value(out, s);
        first = 0;
    }
    mdm_text_add(out, "}");
}

void mdm_options_write_json(const maskdm_options *o, struct mdm_text *out)
{
    write_json(o, 0, out);
}

void mdm_options_write_json_given(const maskdm_options *o, struct mdm_text *out)
{
    write_json(o, 1, out);
}
