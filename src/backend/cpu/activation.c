/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gelu, gelu_tanh, silu and relu, element by element.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

enum { SPAN = 16384, PART = 512 };

typedef void (*activate)(real *y, const real *x, int64_t n);
typedef void (*deactivate)(real *dx, const real *x, const real *dy, int64_t n);

struct job {
    const struct REAL(mdm_rows) * rows;
    activate f;
    deactivate df;
    const real *x, *dy;
    real *y; /* or dx */
    int64_t n;
};

static void activate_span(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * SPAN, n = j->n - from < SPAN ? j->n - from : SPAN;

    (void)worker;
    j->f(j->y + from, j->x + from, n);
}

static void deactivate_span(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * SPAN, n = j->n - from < SPAN ? j->n - from : SPAN;

    (void)worker;
    j->df(j->y + from, j->x + from, j->dy + from, n);
}

/* The same onto what is there. */
static void add_span(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * SPAN, to = j->n - from < SPAN ? j->n : from + SPAN;
    real part[PART];

    (void)worker;
    for (int64_t at = from, n; at < to; at += n) {
        n = to - at < PART ? to - at : PART;
        j->df(part, j->x + at, j->dy + at, n);
        j->rows->add(j->y + at, j->y + at, part, n);
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c, activate f)
{
    struct job j = {.f = f, .x = c->in[0], .y = c->out[0]};

    j.n = mdm_shape_numel(c->in_shape[0]);
    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, SPAN), activate_span, &j);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c, deactivate df)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .df = df, .x = c->in[0], .dy = c->dout[0], .y = c->din[0]};

    j.n = mdm_shape_numel(c->in_shape[0]);
    if (!j.y)
        return MASKDM_OK;
    if (j.dy)
        return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, SPAN), c->add[0] ? add_span : deactivate_span, &j);
    if (!c->add[0])
        memset(j.y, 0, (size_t)j.n * sizeof(real));
    return MASKDM_OK;
}

static int gelu_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, REAL(mdm_rows_of)(b)->gelu);
}

static int gelu_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, REAL(mdm_rows_of)(b)->gelu_backward);
}

static int gelu_tanh_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, REAL(mdm_rows_of)(b)->gelu_tanh);
}

static int gelu_tanh_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, REAL(mdm_rows_of)(b)->gelu_tanh_backward);
}

static int silu_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, REAL(mdm_rows_of)(b)->silu);
}

static int silu_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, REAL(mdm_rows_of)(b)->silu_backward);
}

/* ---- relu ---- */

static void relu(real *y, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] > 0 ? x[i] : 0;
}

/* y in x's place: it is above 0 where x is. */
static void derelu(real *dx, const real *y, const real *dy, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] = y[i] > 0 ? dy[i] : 0;
}

static int relu_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, relu);
}

static int relu_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_call by_result = *c;

    by_result.in[0] = c->out[0];
    return backward(b, &by_result, derelu);
}

const struct mdm_kernel REAL(mdm_cpu_gelu) = {
    .forward = gelu_forward, .backward = gelu_backward, .remake = gelu_forward};
const struct mdm_kernel REAL(mdm_cpu_gelu_tanh) = {
    .forward = gelu_tanh_forward, .backward = gelu_tanh_backward, .remake = gelu_tanh_forward};
const struct mdm_kernel REAL(mdm_cpu_silu) = {
    .forward = silu_forward, .backward = silu_backward, .remake = silu_forward};
const struct mdm_kernel REAL(mdm_cpu_relu) = {.forward = relu_forward, .backward = relu_backward};
