/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of label names, and their form in metadata.
 */
#include "model/labels.h"

#include "base/alloc.h"
#include "text/json.h"
#include "text/text.h"

#include <string.h>

enum { LISTED_MOST = 8 };

/* A list in the making. */
struct making {
    struct mdm_labels l;
    int64_t capacity, classes;
    size_t bytes; /* of all names */
};

static int grow(struct making *m)
{
    int64_t more = m->capacity ? 2 * m->capacity : 16;
    char **grown;

    if (m->l.count < m->capacity)
        return MASKDM_OK;
    grown = mdm_realloc(m->l.name, (size_t)more * sizeof *grown);
    if (!grown)
        return mdm_fail_memory((size_t)more * sizeof *grown, "the names of labels");
    m->l.name = grown;
    m->capacity = more;
    return MASKDM_OK;
}

static int add(struct making *m, const char *name)
{
    const size_t n = strlen(name);

    if (m->l.count == m->classes)
        return mdm_fail(MASKDM_EINVAL, "more than %lld names of labels, which is what the network has classes",
                        (long long)m->classes);
    if (n < 1 || n > MDM_LABEL_NAME)
        return mdm_fail(MASKDM_EINVAL, "the name of label %lld has %zu bytes: 1 to %d are possible",
                        (long long)m->l.count, n, MDM_LABEL_NAME);
    m->bytes += n;
    if (m->bytes > MDM_LABEL_NAMES)
        return mdm_fail(MASKDM_EINVAL, "the names of labels have more than %d bytes in all", MDM_LABEL_NAMES);
    MDM_TRY(grow(m));
    m->l.name[m->l.count] = mdm_strdup(name);
    if (!m->l.name[m->l.count])
        return mdm_fail_memory(n + 1, "the name of a label");
    m->l.count++;
    return MASKDM_OK;
}

/* Adopt the list, or drop it where it failed. */
static int finish(struct mdm_labels *l, struct making *m, int status)
{
    struct mdm_labels *drop = status < 0 ? &m->l : l;

    mdm_labels_free(drop);
    if (status >= 0)
        *l = m->l;
    return status;
}

int mdm_labels_set(struct mdm_labels *l, const char *const *name, int64_t count, int64_t classes)
{
    struct making m = {.classes = classes};
    int status = MASKDM_OK;

    for (int64_t i = 0; i < count && status >= 0; i++)
        status = name[i] ? add(&m, name[i])
                         : mdm_fail(MASKDM_EINVAL, "the name of label %lld is NULL", (long long)i);
    return finish(l, &m, status);
}

void mdm_labels_free(struct mdm_labels *l)
{
    for (int64_t i = 0; i < l->count; i++)
        mdm_free(l->name[i]);
    mdm_free(l->name);
    memset(l, 0, sizeof *l);
}

int64_t mdm_labels_difference(const struct mdm_labels *a, const struct mdm_labels *b)
{
    for (int64_t i = 0; i < a->count && i < b->count; i++)
        if (strcmp(a->name[i], b->name[i]) != 0)
            return i;
    return -1;
}

void mdm_labels_list(const struct mdm_labels *l, struct mdm_text *out)
{
    for (int64_t i = 0; i < l->count && i < LISTED_MOST; i++)
        mdm_text_addf(out, "%s%s", i ? ", " : "", l->name[i]);
    if (l->count > LISTED_MOST)
        mdm_text_add(out, ", ...");
}

void mdm_labels_write(const struct mdm_labels *l, struct mdm_text *out)
{
    mdm_text_add(out, "[");
    for (int64_t i = 0; i < l->count; i++) {
        mdm_text_add(out, i ? ", " : "");
        mdm_text_add_json_bytes(out, l->name[i]);
    }
    mdm_text_add(out, "]");
}

static int read_names(struct making *m, struct mdm_json *j)
{
    MDM_TRY(mdm_json_expect(j, MDM_JSON_ARRAY));
    for (;;) {
        const int event = mdm_json_next(j);

        if (event < 0)
            return event;
        if (event == MDM_JSON_ARRAY_END)
            return mdm_json_expect(j, MDM_JSON_END);
        if (event != MDM_JSON_STRING)
            return mdm_fail(MASKDM_EFORMAT, "the name of label %lld is no string", (long long)m->l.count);
        mdm_json_bytes(j);
        MDM_TRY(add(m, j->text));
    }
}

int mdm_labels_read(struct mdm_labels *l, const char *json, int64_t classes)
{
    struct making m = {.classes = classes};
    struct mdm_json j;
    int status = MASKDM_OK;

    if (json) {
        mdm_json_open(&j, json, strlen(json));
        status = read_names(&m, &j);
        mdm_json_close(&j);
    }
    if (status < 0)
        status = mdm_fail_prefix(status == MASKDM_ENOMEM ? status : MASKDM_EFORMAT,
                                 "metadata entry \"maskdm.labels\"");
    return finish(l, &m, status);
}
