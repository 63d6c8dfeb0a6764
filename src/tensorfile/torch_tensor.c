/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A tensor of a checkpoint: a storage, an offset, sizes and strides, all of them held against the archive's entry.
 */
#include "tensorfile/torch_private.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

#include <string.h>

enum { MOST_KEY = 64 };

#define NUMBERS "tensor " MDM_TENSORFILE_SHOWN ": "

/* Letters, digits, "_" and ".": a key is looked up and never used as a path, and need not look like one. */
static int is_key(const struct mdm_pickle_node *key)
{
    if (!key->count || key->count > MOST_KEY)
        return 0;
    for (uint32_t i = 0; i < key->count; i++) {
        const char c = key->u.text[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'))
            return 0;
    }
    return 1;
}

/* The entry of a storage, which must hold exactly the elements that the pickle says. */
static int find_storage(struct mdm_torch *t, const struct mdm_pickle_node *storage, const char *name,
                        const struct mdm_tensorfile_dtype *type, const struct mdm_zip_entry **entry,
                        int64_t *elements)
{
    const struct mdm_pickle *p = &t->pickle;
    const struct mdm_pickle_node *part[5];
    char path[sizeof t->root + MOST_KEY + 8];
    uint32_t cell = p->node[storage->u.arguments].u.cells.first;
    int64_t bytes;

    for (int i = 0; i < 5; i++, cell = p->cell[cell].next)
        part[i] = &p->node[p->cell[cell].value];
    if (!is_key(part[2]))
        return mdm_fail(MASKDM_EFORMAT, NUMBERS "\"%.*s\" is no key of a storage", name,
                        (int)(part[2]->count < MOST_KEY ? part[2]->count : MOST_KEY), part[2]->u.text);
    mdm_format(path, sizeof path, "%sdata/%.*s", t->root, (int)part[2]->count, part[2]->u.text);
    *entry = mdm_zip_find(&t->zip, path);
    if (!*entry)
        return mdm_fail(MASKDM_EFORMAT, NUMBERS "its storage, entry \"%.160s\", is missing", name, path);
    *elements = part[4]->u.integer;
    if (*elements < 0 || mdm_mul_i64(&bytes, *elements, type->size) || (uint64_t)bytes != (*entry)->size)
        return mdm_fail(MASKDM_EFORMAT,
                        NUMBERS "its storage is said to have %lld elements of %d bytes, but entry "
                                "\"%.160s\" has %llu bytes",
                        name, (long long)*elements, type->size, path, (unsigned long long)(*entry)->size);
    return MASKDM_OK;
}

/* Whole numbers from 0 on, at most as many as a tensor has dimensions. */
static int read_numbers(const struct mdm_pickle *p, uint32_t tuple, const char *name, const char *what, int64_t *out,
                        int *count)
{
    const struct mdm_pickle_node *n = &p->node[tuple];
    uint32_t cell = n->u.cells.first;

    if (n->count > MDM_TENSORFILE_RANK)
        return mdm_fail(MASKDM_EFORMAT, NUMBERS "%u dimensions; at most %d are read", name, (unsigned)n->count,
                        MDM_TENSORFILE_RANK);
    *count = (int)n->count;
    for (int i = 0; i < *count; i++, cell = p->cell[cell].next) {
        const struct mdm_pickle_node *x = &p->node[p->cell[cell].value];

        if (x->kind != MDM_PICKLE_INT || x->u.integer < 0)
            return mdm_fail(MASKDM_EFORMAT, NUMBERS "%s %d is %lld, not a whole number from 0 on", name, what, i,
                            (long long)(x->kind == MDM_PICKLE_INT ? x->u.integer : 0));
        out[i] = x->u.integer;
    }
    return MASKDM_OK;
}

/* Whether all elements lie within the storage, and are no more than it has: a stride of 0 repeats what is there, and
 * could make gigabytes of a byte. */
static int fits(const struct mdm_tensorfile_tensor *x, int64_t offset, int64_t elements)
{
    int64_t last = offset, step;

    if (!x->elements)
        return offset <= elements;
    for (int d = 0; d < x->rank; d++)
        if (mdm_mul_i64(&step, x->shape[d] - 1, x->stride[d]) || mdm_add_i64(&last, last, step))
            return 0;
    return last < elements && x->elements <= elements;
}

/* Whether elements do not follow each other in row-major order. */
static int is_scattered(const struct mdm_tensorfile_tensor *x)
{
    int64_t expected = 1;

    for (int d = x->rank; d-- > 0 && x->elements;) {
        if (x->shape[d] > 1 && x->stride[d] != expected)
            return 1;
        expected *= x->shape[d]; /* at most x->elements */
    }
    return 0;
}

static int fill(struct mdm_torch *t, struct mdm_tensorfile_tensor *x, const struct mdm_pickle_node *tensor)
{
    const struct mdm_pickle *p = &t->pickle;
    const struct mdm_pickle_node *storage = &p->node[tensor->u.tensor.storage];
    const struct mdm_tensorfile_dtype *type = mdm_tensorfile_dtype_find(mdm_pickle_dtype(storage));
    const int64_t offset = p->node[tensor->u.tensor.offset].u.integer;
    const struct mdm_zip_entry *entry;
    int64_t elements;
    uint64_t bytes;
    int strides;

    x->dtype = type->name;
    MDM_TRY(find_storage(t, storage, x->name, type, &entry, &elements));
    MDM_TRY(read_numbers(p, tensor->u.tensor.size, x->name, "size", x->shape, &x->rank));
    MDM_TRY(read_numbers(p, tensor->u.tensor.stride, x->name, "stride", x->stride, &strides));
    if (strides != x->rank)
        return mdm_fail(MASKDM_EFORMAT, NUMBERS "%d sizes and %d strides", x->name, x->rank, strides);
    if (mdm_tensorfile_measure(x, type, &bytes))
        return mdm_fail(MASKDM_EFORMAT, NUMBERS "its shape takes more than %lld bytes", x->name,
                        (long long)INT64_MAX);
    if (offset < 0 || !fits(x, offset, elements))
        return mdm_fail(MASKDM_EFORMAT,
                        NUMBERS "its %lld elements from %lld on are not all among the %lld of its "
                                "storage",
                        x->name, (long long)x->elements, (long long)offset, (long long)elements);
    x->scattered = is_scattered(x);
    x->part = 1 + (entry - t->zip.entry);
    x->begin = entry->at + (uint64_t)offset * (uint64_t)type->size; /* within the entry, by fits() */
    x->end = x->begin + bytes;
    return MASKDM_OK;
}

int mdm_torch_keep(struct mdm_torch *t, size_t bytes)
{
    t->text += bytes;
    if (t->text > t->text_limit)
        return mdm_fail(MASKDM_EFORMAT, "names and strings of more than %llu bytes from so small a pickle",
                        (unsigned long long)t->text_limit);
    return MASKDM_OK;
}

int mdm_torch_tensor(struct mdm_torch *t, const struct mdm_pickle_node *tensor)
{
    struct mdm_tensorfile *s = t->s;
    struct mdm_tensorfile_tensor *x;

    if (s->count == MDM_TENSORFILE_TENSORS)
        return mdm_fail(MASKDM_EFORMAT, "more than %d tensors", MDM_TENSORFILE_TENSORS);
    x = mdm_tensorfile_grow(s->tensor, s->count, sizeof *x, "the table of tensors");
    if (!x)
        return MASKDM_ENOMEM;
    s->tensor = x;
    x += s->count++;
    memset(x, 0, sizeof *x);
    x->name = mdm_strdup(t->path);
    if (!x->name)
        return mdm_fail_memory(strlen(t->path), "a tensor name");
    MDM_TRY(mdm_torch_keep(t, strlen(t->path)));
    return fill(t, x, tensor);
}
