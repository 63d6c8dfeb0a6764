/* SPDX-License-Identifier: BSD-2-Clause
 *
 * concat: the rows of two or three values side by side. A row may be a whole image.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

enum { MOST = 3 };

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *part[MOST], *dy;
    real *dpart[MOST], *y;
    int add[MOST];
    int64_t width[MOST], n, d; /* a part's rows; rows, and how long they are together */
    int64_t piece;             /* rows that one piece of work takes */
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .y = c->out[0], .dy = c->dout[0]};

    j.n = c->attr[0] ? c->out_shape[0]->d[0] : mdm_shape_rows(c->out_shape[0]);
    j.d = mdm_shape_numel(c->out_shape[0]) / j.n;
    j.piece = c->attr[0] ? 1 : MDM_ROWS;
    for (int k = 0; k < MOST && c->in_shape[k]; k++) {
        j.part[k] = c->in[k];
        j.dpart[k] = c->din[k];
        j.add[k] = c->add[k];
        j.width[k] = mdm_shape_numel(c->in_shape[k]) / j.n;
    }
    return j;
}

static void join_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    const int64_t from = piece * j->piece, to = from + j->piece < j->n ? from + j->piece : j->n;

    (void)worker;
    for (int64_t i = from; i < to; i++) {
        real *y = j->y + i * j->d;
        for (int k = 0; k < MOST; y += j->width[k++])
            if (j->width[k])
                memcpy(y, j->part[k] + i * j->width[k], (size_t)j->width[k] * sizeof(real));
    }
}

static void part_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    const int64_t from = piece * j->piece, to = from + j->piece < j->n ? from + j->piece : j->n;

    (void)worker;
    for (int64_t i = from; i < to; i++) {
        const real *dy = j->dy + i * j->d;
        for (int k = 0; k < MOST; dy += j->width[k++]) {
            real *at = j->dpart[k] ? j->dpart[k] + i * j->width[k] : NULL;
            if (at && j->add[k])
                j->rows->add(at, at, dy, j->width[k]);
            else if (at)
                memcpy(at, dy, (size_t)j->width[k] * sizeof(real));
        }
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, j.piece), join_rows, &j);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    if (j.dy)
        return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, j.piece), part_rows, &j);
    for (int k = 0; k < MOST; k++)
        if (j.dpart[k] && !j.add[k])
            memset(j.dpart[k], 0, (size_t)(j.n * j.width[k]) * sizeof(real));
    return MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_concat) = {.forward = forward, .backward = backward};
