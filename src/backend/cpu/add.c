/* SPDX-License-Identifier: BSD-2-Clause
 *
 * add, and qkv_bias, which adds a bias to the query and value thirds of each row and none to the key third.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *x, *q, *v; /* add: q is the other summand */
    real *y, *part;        /* part[pieces,2,D]: sums of dq and dv */
    int64_t n, d;
};

enum { SPAN = 16384 };

static void add_span(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * SPAN, n = j->n - from < SPAN ? j->n - from : SPAN;

    (void)worker;
    j->rows->add(j->y + from, j->x + from, j->q + from, n);
}

static int add_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .q = c->in[1], .y = c->out[0]};

    j.n = mdm_shape_numel(c->in_shape[0]);
    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, SPAN), add_span, &j);
}

static int clear_gradients(const struct mdm_call *c, int count)
{
    for (int i = 0; i < count; i++)
        if (c->din[i] && !c->add[i])
            memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
    return MASKDM_OK;
}

static int add_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    if (!c->dout[0])
        return clear_gradients(c, 2);
    for (int i = 0; i < 2; i++)
        if (c->din[i] && (i == 0 || c->add[i] || c->din[i] != c->din[0]))
            MDM_TRY(REAL(mdm_cpu_accumulate)(b, c->din[i], c->add[i], c->dout[0],
                                             mdm_shape_numel(c->in_shape[i])));
    return MASKDM_OK;
}

static void bias_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n, d = j->d;

    (void)worker;
    for (int64_t i = from; i < to; i++) {
        const real *x = j->x + i * 3 * d;
        real *y = j->y + i * 3 * d;
        j->rows->add(y, x, j->q, d);
        memcpy(y + d, x + d, (size_t)d * sizeof(real));
        j->rows->add(y + 2 * d, x + 2 * d, j->v, d);
    }
}

static int qkv_bias_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .q = c->in[1], .v = c->in[2], .y = c->out[0]};

    j.n = mdm_shape_rows(c->in_shape[0]);
    j.d = mdm_shape_last(c->in_shape[0]) / 3;
    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, MDM_ROWS), bias_rows, &j);
}

static void sum_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n, d = j->d;
    real *q = j->part + piece * 2 * d, *v = q + d;

    (void)worker;
    memset(q, 0, (size_t)d * 2 * sizeof(real));
    for (int64_t i = from; i < to; i++) {
        j->rows->add(q, q, j->x + i * 3 * d, d);
        j->rows->add(v, v, j->x + i * 3 * d + 2 * d, d);
    }
}

static int qkv_bias_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->dout[0], .part = c->scratch};
    int64_t pieces;

    if (!c->dout[0])
        return clear_gradients(c, 3);
    j.n = mdm_shape_rows(c->in_shape[0]);
    j.d = mdm_shape_last(c->in_shape[0]) / 3;
    pieces = mdm_pieces(j.n, MDM_ROWS);
    if (c->din[0])
        MDM_TRY(REAL(mdm_cpu_accumulate)(b, c->din[0], c->add[0], c->dout[0], j.n * j.d * 3));
    if (c->din[1] || c->din[2])
        MDM_TRY(mdm_pool_run(cpu->pool, pieces, sum_rows, &j));
    for (int i = 0; i < 2; i++)
        if (c->din[1 + i])
            MDM_TRY(REAL(mdm_cpu_combine)(cpu, c->din[1 + i], c->add[1 + i], j.part + i * j.d, pieces, 2 * j.d,
                                          j.d));
    return MASKDM_OK;
}

static size_t qkv_bias_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    (void)b;
    if (!train)
        return 0;
    return (size_t)(mdm_pieces(mdm_shape_rows(c->in_shape[0]), MDM_ROWS) * 2 *
                    mdm_shape_last(c->in_shape[1])) *
           sizeof(real);
}

const struct mdm_kernel REAL(mdm_cpu_add) = {.forward = add_forward, .backward = add_backward};
const struct mdm_kernel REAL(mdm_cpu_qkv_bias) = {.forward = qkv_bias_forward,
                                                  .backward = qkv_bias_backward,
                                                  .scratch = qkv_bias_scratch};
