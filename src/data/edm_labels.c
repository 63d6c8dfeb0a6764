/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Read as it stands, label by label, so that a million of them need no list beside their own.
 */
#include "data/edm_labels.h"

#include "base/alloc.h"
#include "text/json.h"

#include <string.h>

enum { BYTES_MOST = 1 << 28 };

int mdm_edm_labels_is(const char *name)
{
    return strcmp(name, "dataset.json") == 0;
}

/* ["name", 6], of which the bracket is read. */
static int take_pair(struct mdm_found *f, struct mdm_json *j)
{
    int32_t label = -1;
    size_t length;
    char *name;
    int event, r;

    MDM_TRY(mdm_json_expect(j, MDM_JSON_STRING));
    length = j->length;
    name = mdm_strndup(j->text, length);
    if (!name)
        return mdm_fail_memory(length + 1, "the name of an image");
    event = r = mdm_json_next(j);
    if (event == MDM_JSON_NUMBER)
        label = mdm_label_parse(j->text, j->length);
    if (event >= 0 && label < 0)
        r = mdm_fail(MASKDM_EFORMAT, "the label of \"%.160s\" is no number of 0 to %d", name, MDM_LABEL_MOST);
    if (r >= 0)
        r = mdm_label_list_add(&f->labels, name, length, label);
    mdm_free(name);
    return r < 0 ? r : mdm_json_expect(j, MDM_JSON_ARRAY_END);
}

static int take_labels(struct mdm_found *f, struct mdm_json *j)
{
    int event = mdm_json_next(j);

    f->unlabelled = event == MDM_JSON_NULL;
    if (event != MDM_JSON_ARRAY)
        return event < 0 || f->unlabelled ? event : mdm_fail(MASKDM_EFORMAT, "\"labels\" is neither a list nor null");
    while ((event = mdm_json_next(j)) == MDM_JSON_ARRAY)
        MDM_TRY(take_pair(f, j));
    return event == MDM_JSON_ARRAY_END || event < 0
               ? event
               : mdm_fail(MASKDM_EFORMAT, "\"labels\" holds something else than pairs of a name and a label");
}

static int read_json(struct mdm_found *f, struct mdm_json *j)
{
    int event;

    MDM_TRY(mdm_json_expect(j, MDM_JSON_OBJECT));
    while ((event = mdm_json_next(j)) == MDM_JSON_KEY) {
        if (strcmp(j->text, "labels") == 0) {
            MDM_TRY(take_labels(f, j));
            continue;
        }
        MDM_TRY(event = mdm_json_next(j));
        MDM_TRY(mdm_json_skip(j, event));
    }
    return event < 0 ? event : mdm_json_expect(j, MDM_JSON_END);
}

static int parse(struct mdm_found *f, const char *text, size_t n)
{
    struct mdm_json j;
    int r;

    mdm_json_open(&j, text, n);
    r = read_json(f, &j);
    mdm_json_close(&j);
    return r < 0 ? r : MASKDM_OK;
}

int mdm_edm_labels_take(struct mdm_found *f, uint64_t size, int (*read)(void *user, void *out, size_t n),
                          void *user)
{
    char *text;
    int r;

    if (size > BYTES_MOST)
        return mdm_fail(MASKDM_EFORMAT, "%s/%s has %llu bytes, more than the limit of %d", f->path, f->name,
                        (unsigned long long)size, BYTES_MOST);
    text = mdm_malloc((size_t)size + 1);
    if (!text)
        return mdm_fail_memory((size_t)size + 1, "a file of labels");
    r = read(user, text, (size_t)size);
    if (r >= 0)
        r = parse(f, text, (size_t)size);
    mdm_free(text);
    return r < 0 ? mdm_fail_prefix(r, "%s/%s", f->path, f->name) : r;
}
