/* SPDX-License-Identifier: BSD-2-Clause
 *
 * swiglu: y[R,H] = silu of the first half of a row of x[R,2H] times the second.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

enum { PART = 512 };

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *x, *dy;
    real *y, *dx;
    int64_t n, h; /* rows, and values of half a row */
    int add;
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .y = c->out[0], .dy = c->dout[0], .dx = c->din[0]};

    j.n = mdm_shape_rows(c->in_shape[0]);
    j.h = mdm_shape_last(c->in_shape[0]) / 2;
    j.add = c->add[0];
    return j;
}

static void join_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n, h = j->h;

    (void)worker;
    for (int64_t i = from; i < to; i++)
        j->rows->silu_mul(j->y + i * h, j->x + i * 2 * h, j->x + i * 2 * h + h, h);
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, MDM_ROWS), join_rows, &j);
}

static void add_row(const struct job *j, real *dx, const real *x, const real *dy)
{
    real first[PART], second[PART];

    for (int64_t at = 0, n; at < j->h; at += n) {
        n = j->h - at < PART ? j->h - at : PART;
        j->rows->silu_mul_backward(first, second, x + at, x + j->h + at, dy + at, n);
        j->rows->add(dx + at, dx + at, first, n);
        j->rows->add(dx + j->h + at, dx + j->h + at, second, n);
    }
}

static void part_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n, h = j->h;

    (void)worker;
    for (int64_t i = from; i < to; i++) {
        const real *x = j->x + i * 2 * h, *dy = j->dy + i * h;
        real *dx = j->dx + i * 2 * h;
        if (j->add)
            add_row(j, dx, x, dy);
        else
            j->rows->silu_mul_backward(dx, dx + h, x, x + h, dy, h);
    }
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    if (!j.dx)
        return MASKDM_OK;
    if (j.dy)
        return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, MDM_ROWS), part_rows, &j);
    if (!j.add)
        memset(j.dx, 0, (size_t)(j.n * 2 * j.h) * sizeof(real));
    return MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_swiglu) = {.forward = forward, .backward = backward, .remake = forward};
