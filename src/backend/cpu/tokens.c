/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tokens: y[B,e+K,D] = [extra tokens, x] plus position rows 0 .. e-1 and e + index; trim: x's tokens from e on, or
 * some of them.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

enum { COLUMNS = 64, X = 0, POSITION = 1, INDEX = 2, FIRST = 3 };

/* What some tokens of an image come from: x last. */
struct part {
    const real *x;
    real *dx;
    int64_t tokens;
    int add;
};

struct job {
    const struct REAL(mdm_rows) * rows;
    struct part part[MDM_MAX_IN];
    int parts;
    const real *position, *dy;
    real *y, *dposition;
    const int32_t *index;
    int64_t batch, visible, extras, d;
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .position = c->in[POSITION], .index = c->in[INDEX]};

    j.batch = c->in_shape[X]->d[0];
    j.visible = c->in_shape[X]->d[1];
    j.d = c->in_shape[X]->d[2];
    for (int i = FIRST; i <= MDM_MAX_IN; i++) {
        const int k = i < MDM_MAX_IN ? i : X;

        if (!c->in_shape[k])
            continue;
        j.part[j.parts++] = (struct part){.x = c->in[k],
                                          .dx = c->din[k],
                                          .tokens = mdm_shape_numel(c->in_shape[k]) / (j.batch * j.d),
                                          .add = c->add[k]};
    }
    j.extras = c->out_shape[0]->d[1] - j.visible;
    j.y = c->out[0];
    j.dy = c->dout[0];
    j.dposition = c->din[POSITION];
    return j;
}

/* The row of positions that token k of image b has. */
static int64_t find_place(const struct job *j, int64_t b, int64_t k)
{
    return k < j->extras ? k : j->extras + j->index[b * j->visible + k - j->extras];
}

static void join_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    int64_t d = j->d, token = 0;
    real *y = j->y + b * (j->extras + j->visible) * d;

    (void)worker;
    for (const struct part *p = j->part; p < j->part + j->parts; p++)
        for (int64_t k = 0; k < p->tokens; k++, token++, y += d)
            j->rows->add(y, p->x + (b * p->tokens + k) * d, j->position + find_place(j, b, token) * d, d);
}

static int tokens_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    return mdm_pool_run(mdm_cpu_of(b)->pool, j.batch, join_image, &j);
}

static void store(const struct job *j, real *dst, int add, const real *src, int64_t n)
{
    if (add)
        j->rows->add(dst, dst, src, n);
    else
        memcpy(dst, src, (size_t)n * sizeof(real));
}

static void part_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const real *dy = j->dy + b * (j->extras + j->visible) * j->d;

    (void)worker;
    for (const struct part *p = j->part; p < j->part + j->parts; dy += p++->tokens * j->d)
        if (p->dx)
            store(j, p->dx + b * p->tokens * j->d, p->add, dy, p->tokens * j->d);
}

/* A worker owns some columns of every position row, and adds the images in their order. */
static void position_columns(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * COLUMNS, n = j->d - from < COLUMNS ? j->d - from : COLUMNS,
            length = j->extras + j->visible;

    (void)worker;
    for (int64_t b = 0; b < j->batch; b++)
        for (int64_t k = 0; k < length; k++) {
            real *to = j->dposition + find_place(j, b, k) * j->d + from;
            j->rows->add(to, to, j->dy + (b * length + k) * j->d + from, n);
        }
}

static int tokens_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct job j = read_call(b, c);

    for (int i = 0; i < MDM_MAX_IN; i++)
        if (c->din[i] && !c->add[i] && (i == POSITION || !j.dy))
            memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
    if (!j.dy)
        return MASKDM_OK;
    MDM_TRY(mdm_pool_run(cpu->pool, j.batch, part_image, &j));
    if (j.dposition)
        return mdm_pool_run(cpu->pool, mdm_pieces(j.d, COLUMNS), position_columns, &j);
    return MASKDM_OK;
}

/* ---- trim ---- */

struct trim {
    const struct REAL(mdm_rows) * rows;
    const real *from;
    real *to;
    int64_t cut, kept, rest; /* elements of an image that fall away, that stay, and that fall away behind */
    int add;
};

static void trim_image(void *arg, int64_t b, int worker)
{
    const struct trim *t = arg;

    (void)worker;
    memcpy(t->to + b * t->kept, t->from + b * (t->cut + t->kept + t->rest) + t->cut, (size_t)t->kept * sizeof(real));
}

static void untrim_image(void *arg, int64_t b, int worker)
{
    const struct trim *t = arg;
    real *to = t->to + b * (t->cut + t->kept + t->rest);

    (void)worker;
    if (t->add) {
        t->rows->add(to + t->cut, to + t->cut, t->from + b * t->kept, t->kept);
        return;
    }
    memset(to, 0, (size_t)t->cut * sizeof(real));
    memcpy(to + t->cut, t->from + b * t->kept, (size_t)t->kept * sizeof(real));
    memset(to + t->cut + t->kept, 0, (size_t)t->rest * sizeof(real));
}

static void measure(struct trim *t, const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];

    t->cut = c->attr[0] * s->d[2];
    t->kept = c->out_shape[0]->d[1] * s->d[2];
    t->rest = s->d[1] * s->d[2] - t->cut - t->kept;
}

static int trim_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    struct trim t = {.from = c->in[0], .to = c->out[0]};

    measure(&t, c);
    return mdm_pool_run(mdm_cpu_of(b)->pool, s->d[0], trim_image, &t);
}

static int trim_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    struct trim t = {.rows = REAL(mdm_rows_of)(b), .from = c->dout[0], .to = c->din[0], .add = c->add[0]};

    if (!t.to)
        return MASKDM_OK;
    if (!t.from) {
        if (!t.add)
            memset(t.to, 0, (size_t)mdm_shape_numel(s) * sizeof(real));
        return MASKDM_OK;
    }
    measure(&t, c);
    return mdm_pool_run(mdm_cpu_of(b)->pool, s->d[0], untrim_image, &t);
}

const struct mdm_kernel REAL(mdm_cpu_tokens) = {.forward = tokens_forward, .backward = tokens_backward};
const struct mdm_kernel REAL(mdm_cpu_trim) = {.forward = trim_forward, .backward = trim_backward};
