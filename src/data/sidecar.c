/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Labels out of small files.
 */
#include "data/sidecar.h"

#include "text/json.h"

#include <string.h>

static int is_cls(const char *name)
{
    return mdm_has_suffix(name, ".cls");
}

int mdm_sidecar_is(const char *name)
{
    return is_cls(name) || mdm_has_suffix(name, ".json");
}

/* Captions, sizes, whatever: only a number under one of these names is a label. */
static int read_json(struct mdm_json *j, int32_t *label)
{
    int event = mdm_json_next(j);

    if (event != MDM_JSON_OBJECT)
        return event < 0 ? event : MASKDM_OK;
    while ((event = mdm_json_next(j)) == MDM_JSON_KEY) {
        const int named = strcmp(j->text, "cls") == 0 || strcmp(j->text, "label") == 0;

        event = mdm_json_next(j);
        if (named && event == MDM_JSON_NUMBER)
            *label = mdm_label_parse(j->text, j->length);
        else if (event >= 0)
            MDM_TRY(mdm_json_skip(j, event));
        if (event < 0)
            return event;
    }
    return event < 0 ? event : MASKDM_OK;
}

static int take_json(struct mdm_found *f, const char *text, size_t n)
{
    int32_t label = -1;
    struct mdm_json j;
    int r;

    mdm_json_open(&j, text, n);
    r = read_json(&j, &label);
    mdm_json_close(&j);
    if (r == MASKDM_ENOMEM)
        return r;
    return r < 0 || label < 0 ? MASKDM_OK : mdm_label_list_add(&f->json, f->name, mdm_label_key(f->name), label);
}

int mdm_sidecar_take(struct mdm_found *f, const char *text, size_t n)
{
    int32_t label;

    if (!is_cls(f->name))
        return take_json(f, text, n);
    label = mdm_label_parse(text, n);
    if (label < 0)
        return mdm_fail(MASKDM_EFORMAT, "%s/%s: \"%.*s\" is no label, which is a number of 0 to %d", f->path, f->name,
                        n < 40 ? (int)n : 40, text, MDM_LABEL_MOST);
    return mdm_label_list_add(&f->cls, f->name, mdm_label_key(f->name), label);
}
