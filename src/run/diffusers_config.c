/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration as diffusers writes it: one JSON object of scalars and lists of scalars. Whatever else stands in it
 * is passed over here, and judged by its name.
 */
#include "run/diffusers.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"
#include "text/json.h"

#include <string.h>

void mdm_config_free(struct mdm_config *c)
{
    for (int i = 0; i < c->count; i++) {
        mdm_free(c->entry[i].key);
        mdm_free(c->entry[i].text);
    }
    mdm_free(c->entry);
    *c = (struct mdm_config){0};
}

const struct mdm_config_entry *mdm_config_find(const struct mdm_config *c, const char *key)
{
    for (int i = 0; i < c->count; i++)
        if (!strcmp(c->entry[i].key, key))
            return &c->entry[i];
    return NULL;
}

/* NULL: no scalar. */
static const char *scalar(const struct mdm_json *j, int event)
{
    static const char *const word[MDM_JSON_NULL + 1] = {
        [MDM_JSON_TRUE] = "true", [MDM_JSON_FALSE] = "false", [MDM_JSON_NULL] = "null"};

    return event == MDM_JSON_STRING || event == MDM_JSON_NUMBER ? j->text : word[event];
}

/* What follows the array's opening, its end included. */
static int read_array(struct mdm_json *j, struct mdm_config_entry *e, struct mdm_text *text)
{
    for (int first = 1;; first = 0) {
        const int event = mdm_json_next(j);
        const char *one;

        if (event < 0 || event == MDM_JSON_ARRAY_END)
            return event < 0 ? event : MASKDM_OK;
        one = scalar(j, event);
        if (!one) {
            e->nested = 1;
            MDM_TRY(mdm_json_skip(j, event));
            continue;
        }
        if (strchr(one, ','))
            return mdm_fail(MASKDM_EFORMAT, "\"%.80s\": \"%.80s\" has a comma", e->key, one);
        mdm_text_add(text, first ? "" : ",");
        mdm_text_add(text, one);
    }
}

static int read_value(struct mdm_json *j, struct mdm_config_entry *e)
{
    struct mdm_text text = {0};
    int status = e->event = mdm_json_next(j);

    if (status < 0)
        return status;
    mdm_text_add(&text, "");
    if (scalar(j, e->event)) {
        mdm_text_add(&text, scalar(j, e->event));
        status = MASKDM_OK;
    } else if (e->event == MDM_JSON_ARRAY) {
        status = read_array(j, e, &text);
    } else {
        e->nested = 1;
        status = mdm_json_skip(j, e->event);
    }
    if (status >= 0)
        status = mdm_text_ok(&text);
    if (e->nested && text.data)
        text.data[0] = '\0';
    e->text = text.data;
    return status;
}

static int add_entry(struct mdm_config *c, struct mdm_json *j)
{
    struct mdm_config_entry *e;

    if (c->count == MDM_CONFIG_ENTRIES)
        return mdm_fail(MASKDM_EFORMAT, "more than %d settings", MDM_CONFIG_ENTRIES);
    if (mdm_config_find(c, j->text))
        return mdm_fail(MASKDM_EFORMAT, "\"%.80s\" comes twice", j->text);
    e = &c->entry[c->count++];
    e->key = mdm_strdup(j->text);
    if (!e->key)
        return mdm_fail_memory(strlen(j->text) + 1, "a setting's name");
    return read_value(j, e);
}

static int read_object(struct mdm_config *c, struct mdm_json *j)
{
    MDM_TRY(mdm_json_expect(j, MDM_JSON_OBJECT));
    for (;;) {
        const int event = mdm_json_next(j);

        if (event < 0)
            return event;
        if (event == MDM_JSON_OBJECT_END)
            return mdm_json_expect(j, MDM_JSON_END);
        MDM_TRY(add_entry(c, j));
    }
}

int mdm_config_read(struct mdm_config *c, const char *json, size_t bytes)
{
    struct mdm_json j;
    int status;

    *c = (struct mdm_config){0};
    c->entry = mdm_need(MDM_CONFIG_ENTRIES, sizeof *c->entry, "a configuration");
    if (!c->entry)
        return MASKDM_ENOMEM;
    mdm_json_open(&j, json, bytes);
    status = read_object(c, &j);
    mdm_json_close(&j);
    return status < 0 ? status : MASKDM_OK;
}

int mdm_config_read_file(struct mdm_config *c, const char *path)
{
    char *json;
    size_t bytes;
    int status;

    *c = (struct mdm_config){0};
    MDM_TRY(mdm_file_read_all(&json, &bytes, path, MDM_CONFIG_BYTES));
    status = mdm_config_read(c, json, bytes);
    mdm_free(json);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}
