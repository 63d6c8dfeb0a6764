/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shapes, and the layout of a network's parameters in one block.
 */
#include "tensor/tensor.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/rng.h"
#include "text/text.h"

#include <math.h>
#include <string.h>

enum { ALIGN = 16 }; /* elements: 64 bytes of float */

size_t mdm_dtype_size(enum mdm_dtype t)
{
    static const unsigned char size[] = {[MDM_F32] = 4, [MDM_F64] = 8, [MDM_I32] = 4, [MDM_BF16] = 2, [MDM_F16] = 2};

    return size[t];
}

enum mdm_dtype mdm_dtype_wide(enum mdm_dtype t)
{
    return t == MDM_BF16 || t == MDM_F16 ? MDM_F32 : t;
}

/* Saturates, so that an absurd shape fails where it is allocated. */
int64_t mdm_shape_numel(const struct mdm_shape *s)
{
    int64_t n = 1;

    for (int i = 0; i < s->n; i++)
        if (mdm_mul_i64(&n, n, s->d[i]))
            return INT64_MAX;
    return n;
}

int mdm_shape_equal(const struct mdm_shape *a, const struct mdm_shape *b)
{
    if (a->n != b->n)
        return 0;
    for (int i = 0; i < a->n; i++)
        if (a->d[i] != b->d[i])
            return 0;
    return 1;
}

int64_t mdm_shape_last(const struct mdm_shape *s)
{
    return s->n ? s->d[s->n - 1] : 1;
}

int64_t mdm_shape_rows(const struct mdm_shape *s)
{
    struct mdm_shape outer = *s;

    if (outer.n)
        outer.n--;
    return mdm_shape_numel(&outer);
}

struct mdm_shape mdm_shape1(int64_t a)
{
    struct mdm_shape s = {1, {a}};

    return s;
}

struct mdm_shape mdm_shape2(int64_t a, int64_t b)
{
    struct mdm_shape s = {2, {a, b}};

    return s;
}

struct mdm_shape mdm_shape3(int64_t a, int64_t b, int64_t c)
{
    struct mdm_shape s = {3, {a, b, c}};

    return s;
}

struct mdm_shape mdm_shape4(int64_t a, int64_t b, int64_t c, int64_t d)
{
    struct mdm_shape s = {4, {a, b, c, d}};

    return s;
}

static void add_shape(struct mdm_text *t, const struct mdm_shape *s)
{
    for (int i = 0; i < s->n; i++)
        mdm_text_addf(t, "%s%lld", i ? "," : "[", (long long)s->d[i]);
    mdm_text_add(t, s->n ? "]" : "[]");
}

static int fail_shape(const char *name, const struct mdm_shape *a, const struct mdm_shape *b)
{
    struct mdm_text old = {0}, new = {0};
    int status;

    add_shape(&old, a);
    add_shape(&new, b);
    status = old.failed || new.failed
                 ? mdm_fail(MASKDM_ESHAPE, "parameter %s is declared with two shapes", name)
                 : mdm_fail(MASKDM_ESHAPE, "parameter %s has shape %s, not %s", name, old.data, new.data);
    mdm_text_free(&old);
    mdm_text_free(&new);
    return status;
}

static int grow(struct mdm_params *p)
{
    int capacity = p->capacity ? 2 * p->capacity : 64;
    size_t bytes = (size_t)capacity * sizeof *p->list;
    void *list = mdm_realloc(p->list, bytes);

    if (!list)
        return mdm_fail_memory(bytes, "a list of parameters");
    p->list = list;
    p->capacity = capacity;
    return MASKDM_OK;
}

int mdm_params_declare(struct mdm_params *p, const char *name, const struct mdm_shape *shape, enum mdm_init init,
                       double scale)
{
    int64_t numel = mdm_shape_numel(shape), total;
    int i = mdm_params_find(p, name);
    struct mdm_param *q;
    size_t length;

    if (i >= 0)
        return mdm_shape_equal(&p->list[i].shape, shape) ? i : fail_shape(name, &p->list[i].shape, shape);
    /* So that no block of this layout, of any element type, overflows a size in bytes. */
    if (numel <= 0 || mdm_add_size(&length, p->length, (size_t)numel) || mdm_align_size(&length, length, ALIGN) ||
        length > SIZE_MAX / 64 || mdm_add_i64(&total, p->numel, numel))
        return mdm_fail(MASKDM_ESHAPE, "parameter %s cannot have %lld elements", name, (long long)numel);
    if (p->count == p->capacity)
        MDM_TRY(grow(p));
    q = &p->list[p->count];
    q->name = mdm_strdup(name);
    if (!q->name)
        return mdm_fail_memory(strlen(name) + 1, "a parameter's name");
    q->shape = *shape;
    q->init = init;
    q->scale = scale;
    q->meaning = MDM_MEANS_NOTHING;
    q->frozen = q->parts = 0;
    q->stored = MDM_F32;
    q->at = p->length;
    p->length = length;
    p->numel = total;
    return p->count++;
}

/* Elements of a block that it takes. */
static size_t room(const struct mdm_param *q)
{
    return (size_t)mdm_shape_numel(&q->shape) / (sizeof(float) / mdm_dtype_size(q->stored));
}

void mdm_params_store(struct mdm_params *p, const unsigned char *chosen, enum mdm_dtype type)
{
    p->length = 0;
    for (int i = 0; i < p->count; i++) {
        struct mdm_param *q = &p->list[i];

        if (chosen[i] && mdm_shape_numel(&q->shape) % 2 == 0)
            q->stored = type;
        q->at = p->length;
        p->length += (room(q) + ALIGN - 1) / ALIGN * ALIGN;
    }
}

int mdm_params_find(const struct mdm_params *p, const char *name)
{
    for (int i = 0; i < p->count; i++)
        if (!strcmp(p->list[i].name, name))
            return i;
    return -1;
}

int mdm_params_trained(const struct mdm_params *p, size_t *at, size_t *from)
{
    int i = 0;

    while (i < p->count && (p->list[i].at < *at || p->list[i].frozen))
        i++;
    if (i == p->count)
        return 0;
    *from = p->list[i].at;
    while (i < p->count && !p->list[i].frozen)
        i++;
    *at = i < p->count ? p->list[i].at : p->length;
    return 1;
}

/* [sin | cos] of place x in w[2 half] */
static void write_place(float *w, int64_t x, int64_t half)
{
    for (int64_t i = 0; i < half; i++) {
        double angle = (double)x / pow(10000, (double)i / (double)half);

        w[i] = (float)sin(angle);
        w[half + i] = (float)cos(angle);
    }
}

static void write_grid(float *w, int64_t n, int64_t columns, int64_t d)
{
    for (int64_t i = 0; i < n / d; i++) {
        write_place(w + i * d, i % columns, d / 4);
        write_place(w + i * d + d / 2, i / columns, d / 4);
    }
}

static void draw(float *w, int64_t n, const struct mdm_param *p, struct mdm_rng r)
{
    switch (p->init) {
    case MDM_INIT_ZERO:
        memset(w, 0, (size_t)n * sizeof *w);
        break;
    case MDM_INIT_ONE:
        for (int64_t i = 0; i < n; i++)
            w[i] = 1;
        break;
    case MDM_INIT_NORMAL:
        mdm_rng_normal(w, (size_t)n, &r, 0);
        for (int64_t i = 0; i < n; i++)
            w[i] = (float)(p->scale * (double)w[i]);
        break;
    case MDM_INIT_UNIFORM:
        for (int64_t i = 0; i < n; i++)
            w[i] = (float)(p->scale * (((double)mdm_rng_u32(&r) + 0.5) * 0x1p-31 - 1));
        break;
    case MDM_INIT_GRID:
        write_grid(w, n, (int64_t)p->scale, mdm_shape_last(&p->shape));
        break;
    }
}

void mdm_params_draw(const struct mdm_params *p, int i, float *out, uint64_t seed)
{
    draw(out, mdm_shape_numel(&p->list[i].shape), &p->list[i],
         mdm_rng_make(seed, MDM_DRAW_INIT, (uint64_t)i, 0));
}

size_t mdm_params_gap(const struct mdm_params *p, int i, size_t *at)
{
    *at = p->list[i].at + room(&p->list[i]);
    return (i + 1 < p->count ? p->list[i + 1].at : p->length) - *at;
}

void mdm_params_init(const struct mdm_params *p, float *block, uint64_t seed)
{
    for (int i = 0; i < p->count; i++) {
        size_t at, gap = mdm_params_gap(p, i, &at);

        mdm_params_draw(p, i, block + p->list[i].at, seed);
        memset(block + at, 0, gap * sizeof *block);
    }
}

void mdm_params_free(struct mdm_params *p)
{
    static const struct mdm_params none;

    for (int i = 0; i < p->count; i++)
        mdm_free(p->list[i].name);
    mdm_free(p->list);
    *p = none;
}
