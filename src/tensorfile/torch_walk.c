/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every value of a checkpoint's dictionaries, by its path. A pickle may mention one dictionary many times, so that a
 * small file could stand for a giant tree: visits and kept text are held against the pickle's size.
 */
#include "tensorfile/torch_private.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/text.h"

#include <string.h>

/* A container whose cells are being visited. */
struct frame {
    uint32_t cell; /* the next: a key in a dictionary, a value elsewhere; 0: none */
    int64_t index;
    size_t length; /* of its own path */
    int dictionary;
};

static int is_container(const struct mdm_pickle_node *n)
{
    return n->kind == MDM_PICKLE_DICT || n->kind == MDM_PICKLE_LIST || n->kind == MDM_PICKLE_TUPLE;
}

/* t->path becomes its first `length` bytes, a dot where they are not empty, and the n bytes of `part`. */
static int set_path(struct mdm_torch *t, size_t length, const char *part, size_t n)
{
    const size_t dot = length > 0;

    if (n + dot > MDM_TENSORFILE_NAME - length)
        return mdm_fail(MASKDM_EFORMAT, "a name of more than %d bytes below \"%.160s\"", MDM_TENSORFILE_NAME,
                        t->path);
    if (dot)
        t->path[length] = '.';
    memcpy(t->path + length + dot, part, n);
    t->path[length + dot + n] = '\0';
    return MASKDM_OK;
}

/* The path of the value that the frame is at, and the value; the frame moves on. */
static int step(struct mdm_torch *t, struct frame *f, const struct mdm_pickle_node **value)
{
    const struct mdm_pickle *p = &t->pickle;
    const struct mdm_pickle_node *key = NULL;
    uint32_t cell = f->cell;
    char number[24];

    if (f->dictionary) {
        key = &p->node[p->cell[cell].value];
        cell = p->cell[cell].next;
    }
    *value = &p->node[p->cell[cell].value];
    f->cell = p->cell[cell].next;
    if (++t->visits > t->visit_limit)
        return mdm_fail(MASKDM_EFORMAT, "more than %llu values from so small a pickle",
                        (unsigned long long)t->visit_limit);
    if (key && key->kind == MDM_PICKLE_TEXT)
        return set_path(t, f->length, key->u.text, key->count);
    mdm_format(number, sizeof number, "%lld", (long long)(key ? key->u.integer : f->index++));
    return set_path(t, f->length, number, strlen(number));
}

/* What a single value is as text; not ok where it is none. */
static int write_value(struct mdm_text *text, const struct mdm_pickle_node *n)
{
    if (n->kind == MDM_PICKLE_INT)
        mdm_text_addf(text, "%lld", (long long)n->u.integer);
    else if (n->kind == MDM_PICKLE_BOOL)
        mdm_text_add(text, n->u.integer ? "true" : "false");
    else if (n->kind == MDM_PICKLE_FLOAT)
        mdm_text_add_double(text, n->u.real);
    else if (n->kind == MDM_PICKLE_TEXT)
        mdm_text_add_n(text, n->u.text, n->count);
    else
        return 0;
    return 1;
}

static int add_metadata(struct mdm_torch *t, const struct mdm_pickle_node *n)
{
    struct mdm_tensorfile *s = t->s;
    struct mdm_tensorfile_entry *e;
    struct mdm_text text = {0};

    if (!write_value(&text, n))
        return MASKDM_OK;
    MDM_TRY(mdm_text_ok(&text));
    if (s->meta_count == MDM_TENSORFILE_ENTRIES) {
        mdm_text_free(&text);
        return mdm_fail(MASKDM_EFORMAT, "more than %d entries of metadata", MDM_TENSORFILE_ENTRIES);
    }
    e = mdm_tensorfile_grow(s->meta, s->meta_count, sizeof *e, "metadata");
    if (!e) {
        mdm_text_free(&text);
        return MASKDM_ENOMEM;
    }
    s->meta = e;
    e += s->meta_count++;
    e->key = mdm_strdup(t->path);
    e->value = mdm_strndup(text.data ? text.data : "", text.length);
    mdm_text_free(&text);
    if (!e->key || !e->value)
        return mdm_fail_memory(strlen(t->path), "metadata");
    return mdm_torch_keep(t, strlen(e->key) + strlen(e->value));
}

static int visit(struct mdm_torch *t, struct frame *f, const struct mdm_pickle_node *value)
{
    if (value->kind == MDM_PICKLE_TENSOR)
        return mdm_torch_tensor(t, value);
    return f->dictionary ? add_metadata(t, value) : MASKDM_OK;
}

int mdm_torch_walk(struct mdm_torch *t)
{
    const struct mdm_pickle_node *value = &t->pickle.node[t->pickle.root];
    struct frame frame[MDM_TORCH_DEPTH], *f;
    int depth = 1;

    if (value->kind != MDM_PICKLE_DICT)
        return mdm_fail(MASKDM_EFORMAT, "it holds %s and not a dictionary", mdm_pickle_kind_name[value->kind]);
    frame[0] = (struct frame){value->u.cells.first, 0, 0, 1};
    while (depth) {
        f = &frame[depth - 1];
        if (!f->cell) {
            depth--;
            continue;
        }
        MDM_TRY(step(t, f, &value));
        if (!is_container(value)) {
            MDM_TRY(visit(t, f, value));
            continue;
        }
        if (depth == MDM_TORCH_DEPTH)
            return mdm_fail(MASKDM_EFORMAT, "\"%.160s\" is nested more than %d deep", t->path, MDM_TORCH_DEPTH);
        frame[depth++] = (struct frame){value->count ? value->u.cells.first : 0, 0, strlen(t->path),
                                        value->kind == MDM_PICKLE_DICT};
    }
    return MASKDM_OK;
}
