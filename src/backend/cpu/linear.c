/* SPDX-License-Identifier: BSD-2-Clause
 *
 * linear, linear_silu, linear2: y = f([x|s] w' + b), where s is the second operand of linear2 and f is SiLU in
 * linear_silu, else the identity. Two operands are two products over the two column blocks of w, so nothing is
 * concatenated. Bias and f are applied to each tile while it is in cache.
 */
#include "backend/cpu/rows.h"
#include "backend/cpu/stored.h"
#include "base/error.h"

#include <string.h>

typedef void (*activate)(real *y, const real *x, int64_t n);
typedef void (*deactivate)(real *dx, const real *x, const real *dy, int64_t n);

/* Operands are inputs 0 .. operands-1, then w, then b. */
struct linear {
    int operands, w, b;
    int64_t rows, width[2], column[2], in, out; /* column: where an operand's block begins in a row of w */
};

static struct linear read_shapes(const struct mdm_call *c, int operands)
{
    struct linear l = {.operands = operands, .w = operands, .b = operands + 1};

    for (int k = 0; k < operands; k++) {
        l.width[k] = mdm_shape_last(c->in_shape[k]);
        l.column[k] = l.in;
        l.in += l.width[k];
    }
    l.rows = mdm_shape_rows(c->out_shape[0]);
    l.out = mdm_shape_last(c->out_shape[0]);
    return l;
}

struct finish {
    const struct REAL(mdm_rows) * rows;
    real *pre, *y; /* the product's target, and where f of it goes */
    const real *bias;
    activate f;
    int64_t out;
};

static void finish_tile(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    const struct finish *e = arg;

    for (int64_t r = row; r < row + rows; r++) {
        real *pre = e->pre + r * e->out + column;
        if (e->bias)
            e->rows->add(pre, pre, e->bias + column, columns);
        if (e->f)
            e->f(e->y + r * e->out + column, pre, columns);
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c, int operands, activate f)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct linear l = read_shapes(c, operands);
    struct finish e = {.rows = REAL(mdm_rows_of)(b), .y = c->out[0], .bias = c->in[l.b], .f = f, .out = l.out};
    struct mdm_stored w;

    MDM_TRY(mdm_stored_weight(&w, cpu, c, c->in[l.w], l.out * l.in));
    e.pre = f && c->out[1] ? c->out[1] : c->out[0];
    for (int k = 0; k < operands; k++) {
        struct mdm_gemm g = {.tb = 1, .add = k > 0, .m = l.rows, .n = l.out, .k = l.width[k]};
        g.a = c->in[k];
        g.lda = l.width[k];
        g.b = mdm_stored_at(&w, l.column[k], sizeof(real));
        g.stored_b = w.type;
        g.ldb = l.in;
        g.c = e.pre;
        g.ldc = l.out;
        g.row_group = c->row_group;
        g.cancel = c->cancel;
        if (k == operands - 1 && (e.bias || f)) {
            g.epilogue = finish_tile;
            g.arg = &e;
        }
        MDM_TRY(cpu->real_table.gemm(cpu, &g));
    }
    return MASKDM_OK;
}

/* ---- backward: dpre = dy f'(pre), dx = dpre w, dw += dpre' x, db += the column sums of dpre ---- */

struct peel {
    const struct REAL(mdm_rows) * rows;
    const real *dy, *pre;
    real *dpre, *part; /* part[pieces,O]: column sums of each piece; NULL without bias */
    deactivate f;
    int64_t n, out;
};

static void peel_rows(void *arg, int64_t piece, int worker)
{
    const struct peel *p = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < p->n ? from + MDM_ROWS : p->n;
    real *sum = p->part ? p->part + piece * p->out : NULL;

    (void)worker;
    if (sum)
        memset(sum, 0, (size_t)p->out * sizeof(real));
    for (int64_t r = from; r < to; r++) {
        int64_t at = r * p->out;
        const real *d = p->dy + at;
        if (p->f) {
            p->f(p->dpre + at, p->pre + at, d, p->out);
            d = p->dpre + at;
        }
        if (sum)
            p->rows->add(sum, sum, d, p->out);
    }
}

static size_t align_up(size_t elements)
{
    return (elements + 15) & ~(size_t)15;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int operands, int activated, int train)
{
    struct linear l = read_shapes(c, operands);
    size_t n = 0;

    if (!train)
        return mdm_stored_scratch(b, c, l.out * l.in);
    if (activated)
        n += align_up((size_t)(l.rows * l.out));
    if (c->in_shape[l.b])
        n += (size_t)(mdm_pieces(l.rows, MDM_ROWS) * l.out);
    return n * sizeof(real);
}

/* Fills dpre and db; *out is dpre, or dy itself where f is the identity. */
static int peel(struct mdm_backend *b, const struct mdm_call *c, const struct linear *l, deactivate f,
                const real **out)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct peel p = {.rows = REAL(mdm_rows_of)(b), .dy = c->dout[0], .pre = c->out[1], .f = f, .n = l->rows};
    int64_t pieces = mdm_pieces(l->rows, MDM_ROWS);
    real *at = c->scratch;

    p.out = l->out;
    if (f) {
        p.dpre = at;
        at += align_up((size_t)(l->rows * l->out));
    }
    p.part = c->din[l->b] ? at : NULL;
    *out = f ? p.dpre : p.dy;
    if (p.f || p.part)
        MDM_TRY(mdm_pool_run(cpu->pool, pieces, peel_rows, &p));
    if (!p.part)
        return MASKDM_OK;
    return REAL(mdm_cpu_combine)(cpu, c->din[l->b], c->add[l->b], p.part, pieces, l->out, l->out);
}

static int operand_gradient(struct mdm_cpu *cpu, const struct mdm_call *c, const struct linear *l, int k,
                            const real *dpre)
{
    struct mdm_gemm g = {.add = c->add[k], .m = l->rows, .n = l->width[k], .k = l->out};

    if (!c->din[k])
        return MASKDM_OK;
    g.a = dpre;
    g.lda = l->out;
    g.b = (const real *)c->in[l->w] + l->column[k];
    g.ldb = l->in;
    g.c = c->din[k];
    g.ldc = l->width[k];
    g.row_group = c->row_group;
    g.cancel = c->cancel;
    return cpu->real_table.gemm(cpu, &g);
}

static int weight_gradient(struct mdm_cpu *cpu, const struct mdm_call *c, const struct linear *l, int k,
                           const real *dpre)
{
    struct mdm_gemm g = {.ta = 1, .add = c->add[l->w], .m = l->out, .n = l->width[k], .k = l->rows};

    if (!c->din[l->w])
        return MASKDM_OK;
    g.a = dpre;
    g.lda = l->out;
    g.b = c->in[k];
    g.ldb = l->width[k];
    g.c = (real *)c->din[l->w] + l->column[k];
    g.ldc = l->in;
    g.cancel = c->cancel;
    return cpu->real_table.gemm(cpu, &g);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c, int operands, deactivate f)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct linear l = read_shapes(c, operands);
    const real *dpre;

    if (!c->dout[0]) {
        for (int k = 0; k <= l.b; k++)
            if (c->din[k] && !c->add[k])
                memset(c->din[k], 0, (size_t)mdm_shape_numel(c->in_shape[k]) * sizeof(real));
        return MASKDM_OK;
    }
    MDM_TRY(peel(b, c, &l, f, &dpre));
    for (int k = 0; k < operands; k++) {
        MDM_TRY(operand_gradient(cpu, c, &l, k, dpre));
        MDM_TRY(weight_gradient(cpu, c, &l, k, dpre));
    }
    return MASKDM_OK;
}

static int linear_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 1, NULL);
}

static int linear_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, 1, NULL);
}

static size_t linear_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    return scratch(b, c, 1, 0, train);
}

static int silu_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 1, REAL(mdm_rows_of)(b)->silu);
}

static int silu_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, 1, REAL(mdm_rows_of)(b)->silu_backward);
}

static size_t activated_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    return scratch(b, c, 1, 1, train);
}

static int linear2_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 2, NULL);
}

static int linear2_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, 2, NULL);
}

static size_t linear2_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    return scratch(b, c, 2, 0, train);
}

const struct mdm_kernel REAL(mdm_cpu_linear) = {.forward = linear_forward,
                                                .backward = linear_backward,
                                                .scratch = linear_scratch};
const struct mdm_kernel REAL(mdm_cpu_linear_silu) = {.forward = silu_forward,
                                                     .backward = silu_backward,
                                                     .scratch = activated_scratch};
const struct mdm_kernel REAL(mdm_cpu_linear2) = {.forward = linear2_forward,
                                                 .backward = linear2_backward,
                                                 .scratch = linear2_scratch};
