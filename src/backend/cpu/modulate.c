/* SPDX-License-Identifier: BSD-2-Clause
 *
 * modulate: y = norm(x) (1 + scale) + shift; gate_add: y = x + gate r, where scale, shift and gate are columns of the
 * image's row of m. A piece of work is some rows of one image; what m's gradient needs of them is left in scratch and
 * combined in order.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *x, *r, *m, *dy; /* r: of gate_add */
    real *y, *stats, *dx, *dr;
    int add_x, add_r;
    int64_t column[2]; /* of m: scale and shift, or the gate */
    double epsilon;
    real *part; /* [B,pieces,4,D]: dscale, dshift, 1 + scale, a row of gradient; of gate_add [B,pieces,D]: dgate */
    int64_t tokens, d, width, pieces; /* of an image: rows, pieces; width of m's rows */
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c, int gated)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .m = c->in[1 + gated], .y = c->out[0]};

    if (gated) {
        j.r = c->in[1];
        j.dr = c->din[1];
        j.add_r = c->add[1];
    } else {
        j.stats = c->out[1];
    }
    j.dy = c->dout[0];
    j.dx = c->din[0];
    j.add_x = c->add[0];
    j.column[0] = c->attr[0];
    j.column[1] = c->attr[1];
    j.epsilon = c->constant[0];
    j.part = c->scratch;
    j.tokens = c->in_shape[0]->d[1];
    j.d = c->in_shape[0]->d[2];
    j.width = c->in_shape[1 + gated]->d[1];
    j.pieces = mdm_pieces(j.tokens, MDM_ROWS);
    return j;
}

struct span {
    int64_t from, to; /* rows, of all */
    const real *first, *second;
};

static struct span find_span(const struct job *j, int64_t piece)
{
    int64_t image = piece / j->pieces, row = piece % j->pieces * MDM_ROWS;
    int64_t n = j->tokens - row < MDM_ROWS ? j->tokens - row : MDM_ROWS, from = image * j->tokens + row;
    const real *m = j->m + image * j->width;

    return (struct span){.from = from, .to = from + n, .first = m + j->column[0], .second = m + j->column[1]};
}

static void store(const struct job *j, real *dst, int add, const real *g)
{
    if (add)
        j->rows->add(dst, dst, g, j->d);
    else
        memcpy(dst, g, (size_t)j->d * sizeof(real));
}

/* Where nothing is added yet, the columns of others are zeros. */
static void clear_gradients(const struct mdm_call *c, int first, int last)
{
    for (int i = first; i <= last; i++)
        if (c->din[i] && !c->add[i])
            memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
}

static int combine(struct mdm_backend *b, const struct mdm_call *c, const struct job *j, int m, int count)
{
    for (int k = 0; k < count; k++)
        MDM_TRY(REAL(mdm_cpu_combine_images)(mdm_cpu_of(b), (real *)c->din[m] + j->column[k], j->width, 1,
                                             j->part + k * j->d, j->pieces, (count == 1 ? 1 : 4) * j->d, j->d,
                                             c->in_shape[0]->d[0]));
    return MASKDM_OK;
}

/* ---- modulate ---- */

static void modulate_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    struct span s = find_span(j, piece);
    real unused[2];

    (void)worker;
    for (int64_t i = s.from; i < s.to; i++) {
        real *y = j->y + i * j->d;
        j->rows->norm(y, j->stats ? j->stats + 2 * i : unused, j->x + i * j->d, NULL, NULL, j->epsilon, j->d);
        j->rows->modulate(y, y, s.first, s.second, j->d);
    }
}

static int modulate_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c, 0);

    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0] * j.pieces, modulate_rows, &j);
}

/* The gradient of a norm whose weight is 1 + scale and whose bias is shift. */
static void unmodulate_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    struct span s = find_span(j, piece);
    int64_t d = j->d;
    real *dscale = j->part + piece * 4 * d, *dshift = dscale + d, *w = dshift + d, *spare = w + d;

    (void)worker;
    memset(dscale, 0, (size_t)d * 2 * sizeof(real));
    for (int64_t k = 0; k < d; k++)
        w[k] = 1 + s.first[k];
    for (int64_t i = s.from; i < s.to; i++) {
        real *g = j->dx && !j->add_x ? j->dx + i * d : spare;
        j->rows->norm_backward(g, dscale, dshift, j->dy + i * d, j->x + i * d, w, j->stats + 2 * i, NULL, d);
        if (j->dx && j->add_x)
            store(j, j->dx + i * d, 1, g);
    }
}

static int modulate_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c, 0);

    clear_gradients(c, j.dy ? 1 : 0, 1);
    if (!j.dy)
        return MASKDM_OK;
    MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0] * j.pieces, unmodulate_rows, &j));
    return c->din[1] ? combine(b, c, &j, 1, 2) : MASKDM_OK;
}

/* ---- gate_add ---- */

static void gate_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    struct span s = find_span(j, piece);

    (void)worker;
    for (int64_t i = s.from; i < s.to; i++)
        j->rows->mul_add(j->y + i * j->d, j->x + i * j->d, j->r + i * j->d, s.first, j->d);
}

static int gate_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c, 1);

    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0] * j.pieces, gate_rows, &j);
}

static void ungate_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    struct span s = find_span(j, piece);
    int64_t d = j->d;
    real *dgate = j->part + piece * d;

    (void)worker;
    memset(dgate, 0, (size_t)d * sizeof(real));
    for (int64_t i = s.from; i < s.to; i++) {
        const real *dy = j->dy + i * d;
        j->rows->mul_add(dgate, dgate, dy, j->r + i * d, d);
        if (j->dr)
            j->rows->mul_add(j->dr + i * d, j->add_r ? j->dr + i * d : NULL, dy, s.first, d);
        if (j->dx)
            store(j, j->dx + i * d, j->add_x, dy);
    }
}

static int gate_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c, 1);

    clear_gradients(c, j.dy ? 2 : 0, 2);
    if (!j.dy)
        return MASKDM_OK;
    MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0] * j.pieces, ungate_rows, &j));
    return c->din[2] ? combine(b, c, &j, 2, 1) : MASKDM_OK;
}

/* `rows` of x's width for every piece of work */
static size_t scratch(const struct mdm_call *c, int train, size_t rows)
{
    const int64_t *d = c->in_shape[0]->d;

    return train ? (size_t)(d[0] * mdm_pieces(d[1], MDM_ROWS) * d[2]) * rows * sizeof(real) : 0;
}

static size_t modulate_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    (void)b;
    return scratch(c, train, 4);
}

static size_t gate_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    (void)b;
    return scratch(c, train, 1);
}

const struct mdm_kernel REAL(mdm_cpu_modulate) = {.forward = modulate_forward,
                                                  .backward = modulate_backward,
                                                  .scratch = modulate_scratch,
                                                  .remake = modulate_forward};
const struct mdm_kernel REAL(mdm_cpu_gate_add) = {
    .forward = gate_forward, .backward = gate_backward, .scratch = gate_scratch};
