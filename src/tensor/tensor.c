/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shapes, and the layout of a network's parameters in one block.
 */
#include "tensor/tensor.h"

#include "util/alloc.h"
#include "util/checked.h"
#include "util/error.h"
#include "util/json.h"
#include "util/rng.h"

#include <string.h>

enum { ALIGN = 16 }; /* elements: 64 bytes of float */

size_t maskdm_dtype_size(enum maskdm_dtype t)
{
    static const unsigned char size[] = {[MASKDM_F32] = 4, [MASKDM_F64] = 8, [MASKDM_I32] = 4};

    return size[t];
}

/* Saturates, so that an absurd shape fails where it is allocated. */
int64_t maskdm_shape_numel(const struct maskdm_shape *s)
{
    int64_t n = 1;

    for (int i = 0; i < s->n; i++)
        if (maskdm_mul_i64(&n, n, s->d[i]))
            return INT64_MAX;
    return n;
}

int maskdm_shape_equal(const struct maskdm_shape *a, const struct maskdm_shape *b)
{
    if (a->n != b->n)
        return 0;
    for (int i = 0; i < a->n; i++)
        if (a->d[i] != b->d[i])
            return 0;
    return 1;
}

int64_t maskdm_shape_last(const struct maskdm_shape *s)
{
    return s->n ? s->d[s->n - 1] : 1;
}

int64_t maskdm_shape_rows(const struct maskdm_shape *s)
{
    struct maskdm_shape outer = *s;

    if (outer.n)
        outer.n--;
    return maskdm_shape_numel(&outer);
}

struct maskdm_shape maskdm_shape1(int64_t a)
{
    struct maskdm_shape s = {1, {a}};

    return s;
}

struct maskdm_shape maskdm_shape2(int64_t a, int64_t b)
{
    struct maskdm_shape s = {2, {a, b}};

    return s;
}

struct maskdm_shape maskdm_shape3(int64_t a, int64_t b, int64_t c)
{
    struct maskdm_shape s = {3, {a, b, c}};

    return s;
}

struct maskdm_shape maskdm_shape4(int64_t a, int64_t b, int64_t c, int64_t d)
{
    struct maskdm_shape s = {4, {a, b, c, d}};

    return s;
}

static void add_shape(struct maskdm_text *t, const struct maskdm_shape *s)
{
    for (int i = 0; i < s->n; i++)
        maskdm_text_addf(t, "%s%lld", i ? "," : "[", (long long)s->d[i]);
    maskdm_text_add(t, s->n ? "]" : "[]");
}

static int fail_shape(const char *name, const struct maskdm_shape *a, const struct maskdm_shape *b)
{
    struct maskdm_text old = {0}, new = {0};
    int status;

    add_shape(&old, a);
    add_shape(&new, b);
    status = old.failed || new.failed
                 ? maskdm_fail(MASKDM_ESHAPE, "parameter %s is declared with two shapes", name)
                 : maskdm_fail(MASKDM_ESHAPE, "parameter %s has shape %s, not %s", name, old.data, new.data);
    maskdm_text_free(&old);
    maskdm_text_free(&new);
    return status;
}

static int grow(struct maskdm_params *p)
{
    int capacity = p->capacity ? 2 * p->capacity : 64;
    size_t bytes = (size_t)capacity * sizeof *p->list;
    void *list = maskdm_realloc(p->list, bytes);

    if (!list)
        return maskdm_fail_memory(bytes, "a list of parameters");
    p->list = list;
    p->capacity = capacity;
    return MASKDM_OK;
}

int maskdm_params_declare(struct maskdm_params *p, const char *name, const struct maskdm_shape *shape,
                          enum maskdm_init init, double scale)
{
    int64_t numel = maskdm_shape_numel(shape), total;
    int i = maskdm_params_find(p, name);
    struct maskdm_param *q;
    size_t length;

    if (i >= 0)
        return maskdm_shape_equal(&p->list[i].shape, shape) ? i : fail_shape(name, &p->list[i].shape, shape);
    /* So that no block of this layout, of any element type, overflows a size in bytes. */
    if (numel <= 0 || maskdm_add_size(&length, p->length, (size_t)numel) ||
        maskdm_align_size(&length, length, ALIGN) || length > SIZE_MAX / 64 ||
        maskdm_add_i64(&total, p->numel, numel))
        return maskdm_fail(MASKDM_ESHAPE, "parameter %s cannot have %lld elements", name, (long long)numel);
    if (p->count == p->capacity)
        MASKDM_TRY(grow(p));
    q = &p->list[p->count];
    q->name = maskdm_strdup(name);
    if (!q->name)
        return maskdm_fail_memory(strlen(name) + 1, "a parameter's name");
    q->shape = *shape;
    q->init = init;
    q->scale = scale;
    q->at = p->length;
    p->length = length;
    p->numel = total;
    return p->count++;
}

int maskdm_params_find(const struct maskdm_params *p, const char *name)
{
    for (int i = 0; i < p->count; i++)
        if (!strcmp(p->list[i].name, name))
            return i;
    return -1;
}

static void draw(float *w, int64_t n, const struct maskdm_param *p, struct maskdm_rng r)
{
    switch (p->init) {
    case MASKDM_INIT_ZERO:
        break;
    case MASKDM_INIT_ONE:
        for (int64_t i = 0; i < n; i++)
            w[i] = 1;
        break;
    case MASKDM_INIT_NORMAL:
        maskdm_rng_normal(w, (size_t)n, &r, 0);
        for (int64_t i = 0; i < n; i++)
            w[i] = (float)(p->scale * (double)w[i]);
        break;
    case MASKDM_INIT_UNIFORM:
        for (int64_t i = 0; i < n; i++)
            w[i] = (float)(p->scale * (((double)maskdm_rng_u32(&r) + 0.5) * 0x1p-31 - 1));
        break;
    }
}

void maskdm_params_init(const struct maskdm_params *p, float *block, uint64_t seed)
{
    memset(block, 0, p->length * sizeof *block);
    for (int i = 0; i < p->count; i++)
        draw(block + p->list[i].at, maskdm_shape_numel(&p->list[i].shape), &p->list[i],
             maskdm_rng_make(seed, MASKDM_DRAW_INIT, (uint64_t)i, 0));
}

void maskdm_params_clear_gaps(const struct maskdm_params *p, float *block)
{
    for (int i = 0; i < p->count; i++) {
        size_t from = p->list[i].at + (size_t)maskdm_shape_numel(&p->list[i].shape);
        size_t to = i + 1 < p->count ? p->list[i + 1].at : p->length;

        memset(block + from, 0, (to - from) * sizeof *block);
    }
}

void maskdm_params_free(struct maskdm_params *p)
{
    static const struct maskdm_params none;

    for (int i = 0; i < p->count; i++)
        maskdm_free(p->list[i].name);
    maskdm_free(p->list);
    *p = none;
}
