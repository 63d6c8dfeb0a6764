/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The JSON header, read into a table. Every field must be there once, have the right JSON type and lie within
 * its limit; what the fields mean together is safetensors_check.c's to judge.
 */
#include "io/safetensors_private.h"

#include "util/alloc.h"
#include "util/checked.h"
#include "util/error.h"
#include "util/json.h"

#include <string.h>

void *maskdm_st_grow(void *array, int64_t count, size_t size, const char *what)
{
    size_t bytes = (count < 8 ? 8 : 2 * (size_t)count) * size;
    void *p;

    if (count < 8 ? count : count & (count - 1))
        return array;
    p = maskdm_realloc(array, bytes);
    if (!p)
        maskdm_fail_memory(bytes, what);
    return p;
}

static int copy_text(char **out, const struct maskdm_json *j, const char *what)
{
    *out = maskdm_strndup(j->text, j->length);
    return *out ? MASKDM_OK : maskdm_fail_memory(j->length, what);
}

static int parse_metadata(struct maskdm_st *s, struct maskdm_json *j)
{
    int event;

    MASKDM_TRY(maskdm_json_expect(j, MASKDM_JSON_OBJECT));
    while ((event = maskdm_json_next(j)) == MASKDM_JSON_KEY) {
        struct maskdm_st_entry *e;
        if (s->meta_count == MASKDM_ST_ENTRIES)
            return maskdm_fail(MASKDM_EFORMAT, "more than %d entries of metadata", MASKDM_ST_ENTRIES);
        e = maskdm_st_grow(s->meta, s->meta_count, sizeof *e, "metadata");
        if (!e)
            return MASKDM_ENOMEM;
        s->meta = e;
        e += s->meta_count;
        memset(e, 0, sizeof *e);
        s->meta_count++;
        MASKDM_TRY(copy_text(&e->key, j, "a metadata key"));
        MASKDM_TRY(event = maskdm_json_next(j));
        if (event != MASKDM_JSON_STRING)
            return maskdm_fail(MASKDM_EFORMAT, "metadata " MASKDM_ST_SHOWN " is not a string", e->key);
        MASKDM_TRY(copy_text(&e->value, j, "a metadata value"));
    }
    return event < 0 ? event : MASKDM_OK;
}

/* [n, n, ...] of non-negative integers; more than `capacity` of them is an error. */
static int parse_numbers(const char *name, const char *field, struct maskdm_json *j, int64_t *out, int capacity,
                         int *count)
{
    int event;

    MASKDM_TRY(event = maskdm_json_next(j));
    if (event != MASKDM_JSON_ARRAY)
        return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": %s is not a list", name, field);
    for (*count = 0; (event = maskdm_json_next(j)) == MASKDM_JSON_NUMBER; ++*count) {
        if (*count == capacity)
            return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": %s has more than %d numbers", name, field,
                               capacity);
        if (maskdm_json_u63(j, &out[*count]))
            return maskdm_fail(MASKDM_EFORMAT,
                               "tensor " MASKDM_ST_SHOWN ": %s has %.40s, not a whole number from 0 to %lld", name,
                               field, j->text, (long long)INT64_MAX);
    }
    if (event >= 0 && event != MASKDM_JSON_ARRAY_END)
        return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": %s has something that is not a number", name,
                           field);
    return event < 0 ? event : MASKDM_OK;
}

static int parse_dtype(struct maskdm_st_tensor *t, struct maskdm_json *j)
{
    const struct maskdm_st_dtype *type;
    int event;

    MASKDM_TRY(event = maskdm_json_next(j));
    if (event != MASKDM_JSON_STRING)
        return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": dtype is not a string", t->name);
    type = maskdm_st_dtype_find(j->text);
    if (!type)
        return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": unknown dtype \"%.20s\"", t->name, j->text);
    t->dtype = type->name;
    return MASKDM_OK;
}

static int parse_offsets(struct maskdm_st_tensor *t, struct maskdm_json *j)
{
    int64_t at[2];
    int count;

    MASKDM_TRY(parse_numbers(t->name, "data_offsets", j, at, 2, &count));
    if (count != 2)
        return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": data_offsets has %d numbers instead of 2",
                           t->name, count);
    if (at[0] > at[1])
        return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": data_offsets begin at %lld and end at %lld",
                           t->name, (long long)at[0], (long long)at[1]);
    t->begin = (uint64_t)at[0];
    t->end = (uint64_t)at[1];
    return MASKDM_OK;
}

static int parse_shape(struct maskdm_st_tensor *t, struct maskdm_json *j)
{
    return parse_numbers(t->name, "shape", j, t->shape, MASKDM_ST_RANK, &t->rank);
}

static const struct {
    const char *name;
    int (*parse)(struct maskdm_st_tensor *t, struct maskdm_json *j);
} fields[] = {{"dtype", parse_dtype}, {"shape", parse_shape}, {"data_offsets", parse_offsets}};

static int parse_fields(struct maskdm_st_tensor *t, struct maskdm_json *j)
{
    unsigned seen = 0;
    int event;

    MASKDM_TRY(event = maskdm_json_next(j));
    if (event != MASKDM_JSON_OBJECT)
        return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN " is not described by an object", t->name);
    while ((event = maskdm_json_next(j)) == MASKDM_JSON_KEY) {
        size_t i = 0;
        while (i < MASKDM_LENGTH(fields) && strcmp(fields[i].name, j->text))
            i++;
        if (i == MASKDM_LENGTH(fields))
            return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": unknown field \"%.40s\"", t->name,
                               j->text);
        if (seen & 1u << i)
            return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": field %s comes twice", t->name,
                               fields[i].name);
        seen |= 1u << i;
        MASKDM_TRY(fields[i].parse(t, j));
    }
    if (event < 0)
        return event;
    for (size_t i = 0; i < MASKDM_LENGTH(fields); i++)
        if (!(seen & 1u << i))
            return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": field %s is missing", t->name,
                               fields[i].name);
    return MASKDM_OK;
}

int maskdm_st_measure(struct maskdm_st_tensor *t, const struct maskdm_st_dtype *type, uint64_t *bytes)
{
    int64_t product = type->size;
    int empty = 0;

    /* A zero dimension is left out of the product, so that the order of the dimensions plays no part in
     * whether a shape is too large. */
    for (int i = 0; i < t->rank; i++)
        if (t->shape[i] == 0)
            empty = 1;
        else if (maskdm_mul_i64(&product, product, t->shape[i]))
            return -1;
    t->elements = empty ? 0 : product / type->size;
    *bytes = empty ? 0 : (uint64_t)product;
    return MASKDM_OK;
}

static int parse_tensor(struct maskdm_st *s, struct maskdm_json *j)
{
    struct maskdm_st_tensor *t;
    uint64_t bytes;

    if (j->length > MASKDM_ST_NAME)
        return maskdm_fail(MASKDM_EFORMAT, "tensor name of %zu bytes; at most %d are allowed", j->length,
                           MASKDM_ST_NAME);
    if (s->count == MASKDM_ST_TENSORS)
        return maskdm_fail(MASKDM_EFORMAT, "more than %d tensors", MASKDM_ST_TENSORS);
    t = maskdm_st_grow(s->tensor, s->count, sizeof *t, "the table of tensors");
    if (!t)
        return MASKDM_ENOMEM;
    s->tensor = t;
    t += s->count;
    memset(t, 0, sizeof *t);
    s->count++;
    MASKDM_TRY(copy_text(&t->name, j, "a tensor name"));
    MASKDM_TRY(parse_fields(t, j));
    if (maskdm_st_measure(t, maskdm_st_dtype_find(t->dtype), &bytes))
        return maskdm_fail(MASKDM_EFORMAT, "tensor " MASKDM_ST_SHOWN ": its shape takes more than %lld bytes",
                           t->name, (long long)INT64_MAX);
    if (t->end - t->begin != bytes)
        return maskdm_fail(MASKDM_EFORMAT,
                           "tensor " MASKDM_ST_SHOWN ": its shape takes %llu bytes but its data_offsets hold %llu",
                           t->name, (unsigned long long)bytes, (unsigned long long)(t->end - t->begin));
    return MASKDM_OK;
}

static int parse_object(struct maskdm_st *s, struct maskdm_json *j)
{
    int event, has_metadata = 0;

    MASKDM_TRY(maskdm_json_expect(j, MASKDM_JSON_OBJECT));
    while ((event = maskdm_json_next(j)) == MASKDM_JSON_KEY) {
        if (strcmp(j->text, MASKDM_ST_META_KEY)) {
            MASKDM_TRY(parse_tensor(s, j));
            continue;
        }
        if (has_metadata)
            return maskdm_fail(MASKDM_EFORMAT, MASKDM_ST_META_KEY " comes twice");
        has_metadata = 1;
        MASKDM_TRY(parse_metadata(s, j));
    }
    return event < 0 ? event : maskdm_json_expect(j, MASKDM_JSON_END);
}

int maskdm_st_parse(struct maskdm_st *s, const char *header, size_t n)
{
    struct maskdm_json j;
    int err;

    if (n == 0 || header[0] != '{')
        return maskdm_fail(MASKDM_EFORMAT, "the header does not begin with {");
    while (header[n - 1] == ' ')
        n--;
    if (header[n - 1] != '}')
        return maskdm_fail(MASKDM_EFORMAT, "the header does not end with } and spaces");
    maskdm_json_open(&j, header, n);
    err = parse_object(s, &j);
    maskdm_json_close(&j);
    return err;
}
