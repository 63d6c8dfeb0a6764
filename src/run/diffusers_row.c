/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the settings of a configuration to options, by rows.
 */
#include "run/diffusers.h"

#include "base/error.h"
#include "text/json.h"
#include "text/number.h"

#include <string.h>

enum { SHOWN = 80, VALUE = 512 };

/* Both are numbers of one value, however they are written, or the same text. */
static int equal(const char *a, const char *word, size_t n)
{
    char copy[SHOWN];
    double x, y;

    if (strlen(a) == n && !memcmp(a, word, n))
        return 1;
    if (n >= sizeof copy)
        return 0;
    memcpy(copy, word, n);
    copy[n] = '\0';
    return mdm_parse_double(a, &x) >= 0 && mdm_parse_double(copy, &y) >= 0 && x == y;
}

static int is_among(const char *words, const char *text)
{
    for (const char *at = words;; at++) {
        const size_t n = strcspn(at, "|");

        if (equal(text, at, n))
            return 1;
        at += n;
        if (!*at)
            return 0;
    }
}

/* The word that "A=x|B=y" has for `text`; `text` itself where it has none. */
static void translate(char out[VALUE], const char *map, const char *text)
{
    const size_t length = strlen(text);

    mdm_format(out, VALUE, "%s", text);
    for (const char *at = map; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (!strncmp(at, text, length) && at[length] == '=')
            mdm_format(out, VALUE, "%.*s", (int)strcspn(at + length + 1, "|"), at + length + 1);
}

/* "silu, swish" */
static int refuse(const struct mdm_config_row *row, const char *text)
{
    char list[VALUE] = "";
    size_t n = 0;

    for (const char *at = row->only; *at && n + 3 < sizeof list; at++) {
        if (*at == '|')
            list[n++] = ',';
        list[n++] = *at == '|' ? ' ' : *at;
    }
    list[n] = '\0';
    return mdm_fail(MASKDM_ENOTSUP, "\"%s\" is \"%.*s\", which is not built; %s is", row->key, SHOWN, text, list);
}

static int take(maskdm_options *const *o, const struct mdm_config_row *row, const char *text)
{
    char word[VALUE];
    int status;

    if (!row->option)
        return MASKDM_OK;
    translate(word, row->map, text);
    status = mdm_options_set(o[row->to], row->option, row->map ? word : text);
    if (status == MASKDM_EINVAL || status == MASKDM_ENOTFOUND)
        status = MASKDM_EFORMAT;
    return status < 0 ? mdm_fail_prefix(status, "\"%s\"", row->key) : MASKDM_OK;
}

static int apply(maskdm_options *const *o, const struct mdm_config *c, const struct mdm_config_row *row,
                 const struct mdm_log *log)
{
    const struct mdm_config_entry *e = mdm_config_find(c, row->key);
    const char *text = e ? e->text : row->absent;

    if (!row->option && !row->only) /* whatever it is, it changes nothing */
        return MASKDM_OK;
    if (e && e->nested)
        return mdm_fail(MASKDM_EFORMAT, "\"%s\" is neither a scalar nor a list of scalars", row->key);
    if (e && e->event == MDM_JSON_NULL)
        text = row->null;
    if (!text)
        return mdm_fail(MASKDM_EFORMAT, "\"%s\" is %s", row->key, e ? "null" : "missing");
    if (row->only && !is_among(row->only, text)) {
        if (!row->moot)
            return refuse(row, text);
        mdm_log_line(log, MASKDM_LOG_INFO, "\"%s\" %.*s is not kept: %s", row->key, SHOWN, text, row->moot);
        return MASKDM_OK;
    }
    return take(o, row, text);
}

static int is_known(const struct mdm_config_row *row, const char *key)
{
    while (row->key && strcmp(row->key, key))
        row++;
    return row->key != NULL;
}

int mdm_config_check(const struct mdm_config *c, const struct mdm_config_row *const *tables, int count)
{
    for (int i = 0; i < c->count; i++) {
        const struct mdm_config_entry *e = &c->entry[i];
        int known = 0;

        for (int k = 0; k < count; k++)
            known |= is_known(tables[k], e->key);
        if (!known)
            return mdm_fail(MASKDM_ENOTSUP, "\"%.*s\" (%.*s) is a setting that is not known", SHOWN, e->key, SHOWN,
                            e->nested ? "nested" : e->text);
    }
    return MASKDM_OK;
}

int mdm_config_apply(maskdm_options *const *o, const struct mdm_config *c, const struct mdm_config_row *table,
                     const struct mdm_log *log)
{
    for (const struct mdm_config_row *row = table; row->key; row++)
        MDM_TRY(apply(o, c, row, log));
    return MASKDM_OK;
}
