/* SPDX-License-Identifier: BSD-2-Clause
 *
 * context: y[B,L+N,D] = [c + pos, x], with the image's row c[B,D] before each of pos[L,D].
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *x, *c, *position, *dy;
    real *y, *dx, *dc, *dposition;
    int64_t batch, tokens, length, d; /* N, L, D */
    int add_x, add_c;
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .c = c->in[1], .position = c->in[2]};

    j.y = c->out[0];
    j.dy = c->dout[0];
    j.dx = c->din[0];
    j.dc = c->din[1];
    j.dposition = c->din[2];
    j.add_x = c->add[0];
    j.add_c = c->add[1];
    j.batch = c->in_shape[0]->d[0];
    j.tokens = c->in_shape[0]->d[1];
    j.d = c->in_shape[0]->d[2];
    j.length = mdm_shape_rows(c->in_shape[2]);
    return j;
}

static void join_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    real *y = j->y + b * (j->length + j->tokens) * j->d;

    (void)worker;
    for (int64_t k = 0; k < j->length; k++, y += j->d)
        j->rows->add(y, j->c + b * j->d, j->position + k * j->d, j->d);
    memcpy(y, j->x + b * j->tokens * j->d, (size_t)(j->tokens * j->d) * sizeof(real));
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    return mdm_pool_run(mdm_cpu_of(b)->pool, j.batch, join_image, &j);
}

static void part_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const real *dy = j->dy + b * (j->length + j->tokens) * j->d, *rest = dy + j->length * j->d;
    const int64_t n = j->tokens * j->d;

    (void)worker;
    if (j->dc && !j->add_c)
        memset(j->dc + b * j->d, 0, (size_t)j->d * sizeof(real));
    for (int64_t k = 0; j->dc && k < j->length; k++)
        j->rows->add(j->dc + b * j->d, j->dc + b * j->d, dy + k * j->d, j->d);
    if (j->dx && j->add_x)
        j->rows->add(j->dx + b * n, j->dx + b * n, rest, n);
    else if (j->dx)
        memcpy(j->dx + b * n, rest, (size_t)n * sizeof(real));
}

/* The images in their order. */
static void sum_position(void *arg, int64_t k, int worker)
{
    const struct job *j = arg;
    real *to = j->dposition + k * j->d;

    (void)worker;
    for (int64_t b = 0; b < j->batch; b++)
        j->rows->add(to, to, j->dy + (b * (j->length + j->tokens) + k) * j->d, j->d);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    for (int i = 0; i < 3; i++)
        if (c->din[i] && !c->add[i] && (i == 2 || !j.dy))
            memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
    if (!j.dy)
        return MASKDM_OK;
    MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, j.batch, part_image, &j));
    return j.dposition ? mdm_pool_run(mdm_cpu_of(b)->pool, j.length, sum_position, &j) : MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_context) = {.forward = forward, .backward = backward};
