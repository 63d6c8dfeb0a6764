/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host's own entries, few enough to be looked for one by one.
 */
#include "model/metadata.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <string.h>

static const char prefix[] = "user.";

void mdm_metadata_free(struct mdm_metadata *m)
{
    for (int64_t i = 0; i < m->count; i++) {
        mdm_free(m->entry[i].key);
        mdm_free(m->entry[i].value);
    }
    mdm_free(m->entry);
    memset(m, 0, sizeof *m);
}

static struct mdm_metadata_entry *find(const struct mdm_metadata *m, const char *key)
{
    for (int64_t i = 0; i < m->count; i++)
        if (strcmp(m->entry[i].key, key) == 0)
            return &m->entry[i];
    return NULL;
}

const char *mdm_metadata_get(const struct mdm_metadata *m, const char *key)
{
    const struct mdm_metadata_entry *e = find(m, key);

    return e ? e->value : NULL;
}

static int check(const char *what, const char *text, size_t least, size_t most)
{
    const size_t n = strlen(text);

    if (n < least || n > most)
        return mdm_fail(MASKDM_EINVAL, "%s of metadata has %zu bytes: %zu to %zu are possible", what, n, least, most);
    for (size_t i = 0, length; i < n; i += length) {
        length = (size_t)mdm_utf8_length(text + i, n - i);
        if (!length)
            return mdm_fail(MASKDM_EINVAL, "%s of metadata is not UTF-8 at byte %zu", what, i);
    }
    return MASKDM_OK;
}

static void take_away(struct mdm_metadata *m, struct mdm_metadata_entry *e)
{
    if (!e)
        return;
    mdm_free(e->key);
    mdm_free(e->value);
    m->count--;
    memmove(e, e + 1, (size_t)(m->entry + m->count - e) * sizeof *e);
}

static int add(struct mdm_metadata *m, const char *key, char *value)
{
    struct mdm_metadata_entry *grown;
    char *name;

    if (m->count == MDM_METADATA_ENTRIES)
        return mdm_fail(MASKDM_EINVAL, "more than %d entries of metadata", MDM_METADATA_ENTRIES);
    grown = mdm_realloc(m->entry, (size_t)(m->count + 1) * sizeof *grown);
    if (!grown)
        return mdm_fail_memory((size_t)(m->count + 1) * sizeof *grown, "metadata");
    m->entry = grown;
    name = mdm_strdup(key);
    if (!name)
        return mdm_fail_memory(strlen(key) + 1, "metadata");
    grown[m->count++] = (struct mdm_metadata_entry){name, value};
    return MASKDM_OK;
}

int mdm_metadata_set(struct mdm_metadata *m, const char *key, const char *value)
{
    struct mdm_metadata_entry *e = find(m, key);
    char *copy;
    int status;

    if (!value) {
        take_away(m, e);
        return MASKDM_OK;
    }
    MDM_TRY(check("a key", key, 1, MDM_METADATA_KEY));
    MDM_TRY(check("a value", value, 0, MDM_METADATA_VALUE));
    copy = mdm_strdup(value);
    if (!copy)
        return mdm_fail_memory(strlen(value) + 1, "metadata");
    if (e) {
        mdm_free(e->value);
        e->value = copy;
        return MASKDM_OK;
    }
    status = add(m, key, copy);
    if (status < 0)
        mdm_free(copy);
    return status;
}

int mdm_metadata_copy(struct mdm_metadata *to, const struct mdm_metadata *from)
{
    struct mdm_metadata made = {0};
    int status = MASKDM_OK;

    for (int64_t i = 0; i < from->count && status == MASKDM_OK; i++)
        status = mdm_metadata_set(&made, from->entry[i].key, from->entry[i].value);
    if (status < 0) {
        mdm_metadata_free(&made);
        return status;
    }
    mdm_metadata_free(to);
    *to = made;
    return MASKDM_OK;
}

int mdm_metadata_write(const struct mdm_metadata *m, struct mdm_safetensors_writer *w)
{
    char key[sizeof prefix + MDM_METADATA_KEY];

    for (int64_t i = 0; i < m->count; i++) {
        mdm_format(key, sizeof key, "%s%s", prefix, m->entry[i].key);
        MDM_TRY(mdm_safetensors_writer_meta(w, key, m->entry[i].value));
    }
    return MASKDM_OK;
}

int mdm_metadata_read(struct mdm_metadata *m, const struct mdm_tensorfile *s)
{
    const size_t n = sizeof prefix - 1;

    for (int64_t i = 0; i < s->meta_count; i++) {
        int status = MASKDM_OK;

        if (strncmp(s->meta[i].key, prefix, n) == 0)
            status = mdm_metadata_set(m, s->meta[i].key + n, s->meta[i].value);
        if (status < 0)
            return mdm_fail_prefix(status == MASKDM_ENOMEM ? status : MASKDM_EFORMAT, "metadata entry \"%.140s\"",
                                   s->meta[i].key);
    }
    return MASKDM_OK;
}
