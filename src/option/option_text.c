/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options from text: "name=value ..." and JSON. Both fill a copy that replaces the values only when all of it was
 * right.
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
    return mdm_options_replace(o, &copy, status);
}

static int refuse_others(const maskdm_options *stage)
{
    for (int i = 0; i < stage->count; i++)
        if (stage->slot[i].set && !mdm_option_is_of_stage(&stage->slot[i].place))
            return mdm_option_refuse_stage(&stage->slot[i]);
    return MASKDM_OK;
}

int mdm_options_add_stage(maskdm_options *o, const char *text)
{
    maskdm_options *stage;
    int status;

    MDM_TRY(mdm_option_new_stage(&stage, o));
    status = mdm_options_parse(stage, text);
    if (status >= 0)
        status = refuse_others(stage);
    if (status >= 0)
        return MASKDM_OK;
    mdm_options_release(&o->stage[--o->stages]);
    return status == MASKDM_ENOMEM ? status : mdm_fail_prefix(status, "stage %d", o->stages + 1);
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

static int read_stages(maskdm_options *o, struct mdm_json *j);

/* A name's place in `seen`, at which it stands for the first time. */
static int note_seen(unsigned char *seen, const maskdm_options *o, const char *name)
{
    struct mdm_option_slot *s;

    MDM_TRY(mdm_option_need(&s, o, name));
    if (seen[s - o->slot]++)
        return mdm_fail(MASKDM_EINVAL, "option %s stands twice", s->said);
    return MASKDM_OK;
}

static int is_note(const struct mdm_json *j, const char *name)
{
    static const char *const notes[] = {MDM_OPTIONS_NOTES};

    for (size_t i = 0; j->comments && i < MDM_LENGTH(notes); i++)
        if (!strcmp(notes[i], name))
            return 1;
    return 0;
}

/* Where the kind has an option of that name itself, as export and plot do, no file of it says its format. */
static int is_format(const maskdm_options *o, const char *name)
{
    return !strcmp(name, MDM_OPTIONS_FORMAT_KEY) && !mdm_option_find(o, name);
}

/* The value of any member. `of_stage`: of a stage, which has options of its own alone. */
static int read_member(maskdm_options *o, unsigned char *seen, const char *name, struct mdm_json *j, int of_stage)
{
    if (!of_stage && is_format(o, name))
        return read_format(j);
    if (!of_stage && !strcmp(name, MDM_OPTIONS_KIND_KEY))
        return mdm_json_expect(j, MDM_JSON_STRING);
    if (!of_stage && !strcmp(name, "stages") && mdm_option_has_stages(o->kind)) {
        MDM_TRY(mdm_json_expect(j, MDM_JSON_ARRAY));
        return read_stages(o, j);
    }
    if (!of_stage && is_note(j, name))
        return mdm_json_expect(j, MDM_JSON_STRING);
    MDM_TRY(note_seen(seen, o, name));
    if (of_stage && !mdm_option_is_of_stage(&mdm_option_find(o, name)->place))
        return mdm_option_refuse_stage(mdm_option_find(o, name));
    return read_json_value(o, name, j);
}

/* Behind its "{". */
static int read_members(maskdm_options *o, struct mdm_json *j, int of_stage)
{
    unsigned char *seen = mdm_need((size_t)o->count, 1, "a list of options");
    int event = 0, status = seen ? MASKDM_OK : MASKDM_ENOMEM;

    while (status >= 0 && (event = mdm_json_next(j)) == MDM_JSON_KEY) {
        char *name = mdm_strdup(j->text);

        status = name ? read_member(o, seen, name, j, of_stage) : mdm_fail_memory(j->length + 1, "an option's name");
        mdm_free(name);
    }
    mdm_free(seen);
    return status < 0 ? status : event < 0 ? event : MASKDM_OK;
}

/* Behind its "[". */
static int read_stages(maskdm_options *o, struct mdm_json *j)
{
    int event, status = MASKDM_OK;

    if (o->stages)
        return mdm_fail(MASKDM_EINVAL, "stages are given twice");
    while (status >= 0 && (event = mdm_json_next(j)) != MDM_JSON_ARRAY_END) {
        maskdm_options *stage;

        if (event < 0)
            return event;
        if (event != MDM_JSON_OBJECT)
            return mdm_fail(MASKDM_EFORMAT, "stage %d is no object of options", o->stages + 1);
        MDM_TRY(mdm_option_new_stage(&stage, o));
        status = read_members(stage, j, 1);
    }
    if (status < 0)
        return status == MASKDM_ENOMEM ? status : mdm_fail_prefix(status, "stage %d", o->stages);
    return o->stages ? MASKDM_OK : mdm_fail(MASKDM_EFORMAT, "a list of stages is empty");
}

static int read_document(maskdm_options *o, struct mdm_json *j)
{
    const int event = mdm_json_next(j);

    if (event == MDM_JSON_ARRAY && j->comments && mdm_option_has_stages(o->kind))
        return read_stages(o, j);
    if (event == MDM_JSON_OBJECT)
        return read_members(o, j, 0);
    return event < 0 ? event : mdm_fail(MASKDM_EFORMAT, "this is no object of options");
}

static int fill(maskdm_options *o, struct mdm_json *j, int whole)
{
    maskdm_options *copy;
    int status;

    MDM_TRY(mdm_options_clone(&copy, o));
    status = read_document(copy, j);
    if (status >= 0 && whole)
        status = mdm_json_expect(j, MDM_JSON_END);
    return mdm_options_replace(o, &copy, status);
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
    j.comments = 1;
    status = fill(o, &j, 1);
    mdm_json_close(&j);
    return status;
}
