/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Collecting what goes into a tensor file. The writer holds the very table that a reader makes, so that what it
 * accepts is what a reader accepts; the data is borrowed.
 */
#include "tensorfile/safetensors_private.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

#include <string.h>

int mdm_safetensors_writer_create(struct mdm_safetensors_writer **out)
{
    *out = mdm_need(1, sizeof **out, "a tensor file writer");
    return *out ? MASKDM_OK : MASKDM_ENOMEM;
}

void mdm_safetensors_writer_release(struct mdm_safetensors_writer **w)
{
    if (!*w)
        return;
    mdm_tensorfile_close(&(*w)->file);
    mdm_free((*w)->data);
    mdm_free(*w);
    *w = NULL;
}

const struct mdm_tensorfile *mdm_safetensors_writer_table(const struct mdm_safetensors_writer *w)
{
    return &w->file;
}

static int check_utf8(const char *what, const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0, length; i < n; i += length) {
        length = (size_t)mdm_utf8_length(text + i, n - i);
        if (!length)
            return mdm_fail(MASKDM_EINVAL, "%s is not UTF-8 at byte %zu", what, i);
    }
    return MASKDM_OK;
}

int mdm_safetensors_writer_meta(struct mdm_safetensors_writer *w, const char *key, const char *value)
{
    struct mdm_tensorfile *s = &w->file;
    struct mdm_tensorfile_entry *e;

    MDM_TRY(check_utf8("a metadata key", key));
    MDM_TRY(check_utf8("a metadata value", value));
    if (mdm_tensorfile_meta(s, key))
        return mdm_fail(MASKDM_EINVAL, "metadata " MDM_TENSORFILE_SHOWN " was already added", key);
    /* One is kept for the digest. */
    if (s->meta_count == MDM_TENSORFILE_ENTRIES - 1)
        return mdm_fail(MASKDM_EINVAL, "more than %d entries of metadata", MDM_TENSORFILE_ENTRIES - 1);
    e = mdm_tensorfile_grow(s->meta, s->meta_count, sizeof *e, "metadata");
    if (!e)
        return MASKDM_ENOMEM;
    s->meta = e;
    e += s->meta_count;
    e->key = mdm_strdup(key);
    e->value = mdm_strdup(value);
    if (!e->key || !e->value) {
        mdm_free(e->key);
        mdm_free(e->value);
        return mdm_fail_memory(strlen(key) + strlen(value) + 2, "metadata");
    }
    s->meta_count++;
    return MASKDM_OK;
}

/* Fill t, all but its copy of the name, from the arguments of an addition. */
static int describe(const struct mdm_tensorfile *s, struct mdm_tensorfile_tensor *t, const char *name,
                    const char *dtype, const int64_t *shape, int rank, const void *data)
{
    const struct mdm_tensorfile_dtype *type = mdm_tensorfile_dtype_find(dtype);
    uint64_t bytes;

    memset(t, 0, sizeof *t);
    if (strlen(name) > MDM_TENSORFILE_NAME)
        return mdm_fail(MASKDM_EINVAL, "tensor name of %zu bytes; at most %d are allowed", strlen(name),
                        MDM_TENSORFILE_NAME);
    MDM_TRY(check_utf8("a tensor name", name));
    if (!strcmp(name, MDM_SAFETENSORS_META_KEY) || mdm_tensorfile_find(s, name) >= 0)
        return mdm_fail(MASKDM_EINVAL, "tensor " MDM_TENSORFILE_SHOWN " was already added or is reserved", name);
    if (!type)
        return mdm_fail(MASKDM_EINVAL, "tensor " MDM_TENSORFILE_SHOWN ": unknown dtype \"%.20s\"", name, dtype);
    if (rank < 0 || rank > MDM_TENSORFILE_RANK)
        return mdm_fail(MASKDM_EINVAL, "tensor " MDM_TENSORFILE_SHOWN " has %d dimensions, not 0 to %d", name, rank,
                        MDM_TENSORFILE_RANK);
    for (int i = 0; i < rank; i++) {
        t->shape[i] = shape[i];
        if (shape[i] < 0)
            return mdm_fail(MASKDM_EINVAL, "tensor " MDM_TENSORFILE_SHOWN ": dimension %d is %lld", name, i,
                            (long long)shape[i]);
    }
    t->dtype = type->name;
    t->rank = rank;
    t->begin = s->count ? s->tensor[s->count - 1].end : 0;
    if (mdm_tensorfile_measure(t, type, &bytes) || mdm_add_u64(&t->end, t->begin, bytes) || t->end > INT64_MAX)
        return mdm_fail(MASKDM_EINVAL, "tensor " MDM_TENSORFILE_SHOWN " would end beyond byte %lld of the data", name,
                        (long long)INT64_MAX);
    if (bytes && !data)
        return mdm_fail(MASKDM_EINVAL, "tensor " MDM_TENSORFILE_SHOWN " has %llu bytes but its data is NULL", name,
                        (unsigned long long)bytes);
    return MASKDM_OK;
}

/* Room for one more in every array; what was grown stays valid when a later one fails. */
static int make_room(struct mdm_safetensors_writer *w)
{
    struct mdm_tensorfile *s = &w->file;
    struct mdm_tensorfile_tensor *tensor =
        mdm_tensorfile_grow(s->tensor, s->count, sizeof *tensor, "the table of tensors");
    int64_t *by_name;
    struct mdm_safetensors_data *data;

    if (!tensor)
        return MASKDM_ENOMEM;
    s->tensor = tensor;
    by_name = mdm_tensorfile_grow(s->by_name, s->count, sizeof *by_name, "the order of the names");
    if (!by_name)
        return MASKDM_ENOMEM;
    s->by_name = by_name;
    data = mdm_tensorfile_grow(w->data, s->count, sizeof *data, "the table of tensors");
    if (!data)
        return MASKDM_ENOMEM;
    w->data = data;
    return MASKDM_OK;
}

static void insert_by_name(struct mdm_tensorfile *s, int64_t i)
{
    int64_t at = i;

    for (; at > 0 && strcmp(s->tensor[s->by_name[at - 1]].name, s->tensor[i].name) > 0; at--)
        s->by_name[at] = s->by_name[at - 1];
    s->by_name[at] = i;
}

int mdm_safetensors_writer_add(struct mdm_safetensors_writer *w, const char *name, const char *dtype,
                               const int64_t *shape, int rank, const void *data)
{
    return mdm_safetensors_writer_add_from(w, name, dtype, shape, rank, data, NULL);
}

int mdm_safetensors_writer_add_from(struct mdm_safetensors_writer *w, const char *name, const char *dtype,
                                    const int64_t *shape, int rank, const void *data,
                                    const struct mdm_tensorfile_source *source)
{
    struct mdm_tensorfile *s = &w->file;
    struct mdm_tensorfile_tensor t;

    if (s->count == MDM_TENSORFILE_TENSORS)
        return mdm_fail(MASKDM_EINVAL, "more than %d tensors", MDM_TENSORFILE_TENSORS);
    MDM_TRY(describe(s, &t, name, dtype, shape, rank, data));
    MDM_TRY(make_room(w));
    t.name = mdm_strdup(name);
    if (!t.name)
        return mdm_fail_memory(strlen(name) + 1, "a tensor name");
    s->tensor[s->count] = t;
    w->data[s->count] = (struct mdm_safetensors_data){data, source};
    insert_by_name(s, s->count);
    s->count++;
    return MASKDM_OK;
}
