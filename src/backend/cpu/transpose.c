/* SPDX-License-Identifier: BSD-2-Clause
 *
 * transpose: each row of x[R,a b], a matrix of a rows, becomes one of b rows.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const real *x;
    real *y;
    int64_t n, rows, columns; /* rows of x, and of each as a matrix */
    int add;
};

static void turn_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n;

    (void)worker;
    for (int64_t i = from; i < to; i++) {
        const real *x = j->x + i * j->rows * j->columns;
        real *y = j->y + i * j->rows * j->columns;

        for (int64_t c = 0; c < j->columns; c++)
            for (int64_t r = 0; r < j->rows; r++, y++)
                *y = (j->add ? *y : 0) + x[r * j->columns + c];
    }
}

static int run(struct mdm_backend *b, struct job *j, const struct mdm_shape *shape)
{
    j->n = mdm_shape_rows(shape);
    j->columns = mdm_shape_last(shape) / j->rows;
    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j->n, MDM_ROWS), turn_rows, j);
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.x = c->in[0], .y = c->out[0], .rows = c->attr[0]};

    return run(b, &j, c->in_shape[0]);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.x = c->dout[0], .y = c->din[0], .add = c->add[0]};

    j.rows = mdm_shape_last(c->in_shape[0]) / c->attr[0];
    if (!j.y)
        return MASKDM_OK;
    if (j.x)
        return run(b, &j, c->in_shape[0]);
    if (!j.add)
        memset(j.y, 0, (size_t)mdm_shape_numel(c->in_shape[0]) * sizeof(real));
    return MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_transpose) = {.forward = forward, .backward = backward};
