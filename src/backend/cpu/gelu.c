/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gelu, element by element.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

enum { SPAN = 16384, PART = 512 };

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *x, *dy;
    real *y; /* or dx */
    int64_t n;
};

static void activate_span(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * SPAN, n = j->n - from < SPAN ? j->n - from : SPAN;

    (void)worker;
    j->rows->gelu(j->y + from, j->x + from, n);
}

static void deactivate_span(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * SPAN, n = j->n - from < SPAN ? j->n - from : SPAN;

    (void)worker;
    j->rows->gelu_backward(j->y + from, j->x + from, j->dy + from, n);
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
        j->rows->gelu_backward(part, j->x + at, j->dy + at, n);
        j->rows->add(j->y + at, j->y + at, part, n);
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .y = c->out[0]};

    j.n = mdm_shape_numel(c->in_shape[0]);
    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, SPAN), activate_span, &j);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .dy = c->dout[0], .y = c->din[0]};

    j.n = mdm_shape_numel(c->in_shape[0]);
    if (!j.y)
        return MASKDM_OK;
    if (j.dy)
        return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, SPAN), c->add[0] ? add_span : deactivate_span, &j);
    if (!c->add[0])
        memset(j.y, 0, (size_t)j.n * sizeof(real));
    return MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_gelu) = {.forward = forward, .backward = backward, .remake = forward};
