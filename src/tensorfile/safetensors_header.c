/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The JSON header, read into a table. Every field must be there once, have the right JSON type and lie within
 * its limit; what the fields mean together is safetensors_check.c's to judge.
 */
#include "tensorfile/safetensors_private.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "text/json.h"

#include <string.h>

static int copy_text(char **out, const struct mdm_json *j, const char *what)
{
    *out = mdm_strndup(j->text, j->length);
    return *out ? MASKDM_OK : mdm_fail_memory(j->length, what);
}

static int parse_metadata(struct mdm_tensorfile *s, struct mdm_json *j)
{
    int event;

    MDM_TRY(mdm_json_expect(j, MDM_JSON_OBJECT));
    while ((event = mdm_json_next(j)) == MDM_JSON_KEY) {
        struct mdm_tensorfile_entry *e;
        if (s->meta_count == MDM_TENSORFILE_ENTRIES)
            return mdm_fail(MASKDM_EFORMAT, "more than %d entries of metadata", MDM_TENSORFILE_ENTRIES);
        e = mdm_tensorfile_grow(s->meta, s->meta_count, sizeof *e, "metadata");
        if (!e)
            return MASKDM_ENOMEM;
        s->meta = e;
        e += s->meta_count;
        memset(e, 0, sizeof *e);
        s->meta_count++;
        MDM_TRY(copy_text(&e->key, j, "a metadata key"));
        MDM_TRY(event = mdm_json_next(j));
        if (event != MDM_JSON_STRING)
            return mdm_fail(MASKDM_EFORMAT, "metadata " MDM_TENSORFILE_SHOWN " is not a string", e->key);
        MDM_TRY(copy_text(&e->value, j, "a metadata value"));
    }
    return event < 0 ? event : MASKDM_OK;
}

/* [n, n, ...] of non-negative integers; more than `capacity` of them is an error. */
static int parse_numbers(const char *name, const char *field, struct mdm_json *j, int64_t *out, int capacity,
                         int *count)
{
    int event;

    MDM_TRY(event = mdm_json_next(j));
    if (event != MDM_JSON_ARRAY)
        return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": %s is not a list", name, field);
    for (*count = 0; (event = mdm_json_next(j)) == MDM_JSON_NUMBER; ++*count) {
        if (*count == capacity)
            return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": %s has more than %d numbers", name,
                            field, capacity);
        if (mdm_json_u63(j, &out[*count]))
            return mdm_fail(MASKDM_EFORMAT,
                            "tensor " MDM_TENSORFILE_SHOWN ": %s has %.40s, not a whole number from 0 to %lld", name,
                            field, j->text, (long long)INT64_MAX);
    }
    if (event >= 0 && event != MDM_JSON_ARRAY_END)
        return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": %s has something that is not a number",
                        name, field);
    return event < 0 ? event : MASKDM_OK;
}

static int parse_dtype(struct mdm_tensorfile_tensor *t, struct mdm_json *j)
{
    const struct mdm_tensorfile_dtype *type;
    int event;

    MDM_TRY(event = mdm_json_next(j));
    if (event != MDM_JSON_STRING)
        return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": dtype is not a string", t->name);
    type = mdm_tensorfile_dtype_find(j->text);
    if (!type)
        return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": unknown dtype \"%.20s\"", t->name, j->text);
    t->dtype = type->name;
    return MASKDM_OK;
}

static int parse_offsets(struct mdm_tensorfile_tensor *t, struct mdm_json *j)
{
    int64_t at[2];
    int count;

    MDM_TRY(parse_numbers(t->name, "data_offsets", j, at, 2, &count));
    if (count != 2)
        return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": data_offsets has %d numbers instead of 2",
                        t->name, count);
    if (at[0] > at[1])
        return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": data_offsets begin at %lld and end at %lld",
                        t->name, (long long)at[0], (long long)at[1]);
    t->begin = (uint64_t)at[0];
    t->end = (uint64_t)at[1];
    return MASKDM_OK;
}

static int parse_shape(struct mdm_tensorfile_tensor *t, struct mdm_json *j)
{
    return parse_numbers(t->name, "shape", j, t->shape, MDM_TENSORFILE_RANK, &t->rank);
}

static const struct {
    const char *name;
    int (*parse)(struct mdm_tensorfile_tensor *t, struct mdm_json *j);
} fields[] = {{"dtype", parse_dtype}, {"shape", parse_shape}, {"data_offsets", parse_offsets}};

static int parse_fields(struct mdm_tensorfile_tensor *t, struct mdm_json *j)
{
    unsigned seen = 0;
    int event;

    MDM_TRY(event = mdm_json_next(j));
    if (event != MDM_JSON_OBJECT)
        return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN " is not described by an object", t->name);
    while ((event = mdm_json_next(j)) == MDM_JSON_KEY) {
        size_t i = 0;
        while (i < MDM_LENGTH(fields) && strcmp(fields[i].name, j->text))
            i++;
        if (i == MDM_LENGTH(fields))
            return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": unknown field \"%.40s\"", t->name,
                            j->text);
        if (seen & 1u << i)
            return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": field %s comes twice", t->name,
                            fields[i].name);
        seen |= 1u << i;
        MDM_TRY(fields[i].parse(t, j));
    }
    if (event < 0)
        return event;
    for (size_t i = 0; i < MDM_LENGTH(fields); i++)
        if (!(seen & 1u << i))
            return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": field %s is missing", t->name,
                            fields[i].name);
    return MASKDM_OK;
}

static int parse_tensor(struct mdm_tensorfile *s, struct mdm_json *j)
{
    struct mdm_tensorfile_tensor *t;
    uint64_t bytes;

    if (j->length > MDM_TENSORFILE_NAME)
        return mdm_fail(MASKDM_EFORMAT, "tensor name of %zu bytes; at most %d are allowed", j->length,
                        MDM_TENSORFILE_NAME);
    if (s->count == MDM_TENSORFILE_TENSORS)
        return mdm_fail(MASKDM_EFORMAT, "more than %d tensors", MDM_TENSORFILE_TENSORS);
    t = mdm_tensorfile_grow(s->tensor, s->count, sizeof *t, "the table of tensors");
    if (!t)
        return MASKDM_ENOMEM;
    s->tensor = t;
    t += s->count;
    memset(t, 0, sizeof *t);
    s->count++;
    MDM_TRY(copy_text(&t->name, j, "a tensor name"));
    MDM_TRY(parse_fields(t, j));
    if (mdm_tensorfile_measure(t, mdm_tensorfile_dtype_find(t->dtype), &bytes))
        return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN ": its shape takes more than %lld bytes",
                        t->name, (long long)INT64_MAX);
    if (t->end - t->begin != bytes)
        return mdm_fail(MASKDM_EFORMAT,
                        "tensor " MDM_TENSORFILE_SHOWN ": its shape takes %llu bytes but its data_offsets hold %llu",
                        t->name, (unsigned long long)bytes, (unsigned long long)(t->end - t->begin));
    return MASKDM_OK;
}

static int parse_object(struct mdm_tensorfile *s, struct mdm_json *j)
{
    int event, has_metadata = 0;

    MDM_TRY(mdm_json_expect(j, MDM_JSON_OBJECT));
    while ((event = mdm_json_next(j)) == MDM_JSON_KEY) {
        if (strcmp(j->text, MDM_SAFETENSORS_META_KEY)) {
            MDM_TRY(parse_tensor(s, j));
            continue;
        }
        if (has_metadata)
            return mdm_fail(MASKDM_EFORMAT, MDM_SAFETENSORS_META_KEY " comes twice");
        has_metadata = 1;
        MDM_TRY(parse_metadata(s, j));
    }
    return event < 0 ? event : mdm_json_expect(j, MDM_JSON_END);
}

int mdm_safetensors_parse(struct mdm_tensorfile *s, const char *header, size_t n)
{
    struct mdm_json j;
    int err;

    if (n == 0 || header[0] != '{')
        return mdm_fail(MASKDM_EFORMAT, "the header does not begin with {");
    while (header[n - 1] == ' ')
        n--;
    if (header[n - 1] != '}')
        return mdm_fail(MASKDM_EFORMAT, "the header does not end with } and spaces");
    mdm_json_open(&j, header, n);
    err = parse_object(s, &j);
    mdm_json_close(&j);
    return err;
}
