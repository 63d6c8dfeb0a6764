/* SPDX-License-Identifier: BSD-2-Clause
 *
 * route: y[B,e+R,D] = the first e tokens of x[B,N,D] and those that keep[B,R] lists, rising, behind them; unroute: x
 * with y in their places. A piece of work is an image, walked token by token.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const struct REAL(mdm_rows) * rows;
    const int32_t *keep;
    int64_t tokens, kept, extras, d;
    const real *x, *y; /* all tokens, and those kept: what is read */
    real *dx, *dy;     /* the same of gradients, or results */
    int add_x, add_y;
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c, int keep)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .keep = c->in[keep], .extras = c->attr[0]};

    j.tokens = c->in_shape[0]->d[1];
    j.d = c->in_shape[0]->d[2];
    j.kept = c->in_shape[keep]->d[1];
    return j;
}

/* Where token i stands among those kept, or -1. *next is the first of keep that is still to come, as i rises. */
static int64_t find_kept(const struct job *j, const int32_t *keep, int64_t i, int64_t *next)
{
    if (i < j->extras)
        return i;
    if (*next < j->kept && keep[*next] == i - j->extras)
        return j->extras + (*next)++;
    return -1;
}

/* `from` NULL: zeros */
static void store(const struct job *j, real *to, int add, const real *from)
{
    if (from && add)
        j->rows->add(to, to, from, j->d);
    else if (from)
        memcpy(to, from, (size_t)j->d * sizeof(real));
    else if (!add)
        memset(to, 0, (size_t)j->d * sizeof(real));
}

static void gather_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const int32_t *keep = j->keep + b * j->kept;
    const int64_t x = b * j->tokens, y = b * (j->extras + j->kept);

    (void)worker;
    for (int64_t i = 0, next = 0; i < j->tokens; i++) {
        int64_t at = find_kept(j, keep, i, &next);

        if (at >= 0)
            store(j, j->dy + (y + at) * j->d, j->add_y, j->x + (x + i) * j->d);
    }
}

/* x and y are one sequence: each token is that of y where it is kept, else that of x, or zeros. */
static void join_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const int32_t *keep = j->keep + b * j->kept;
    const int64_t x = b * j->tokens, y = b * (j->extras + j->kept);

    (void)worker;
    for (int64_t i = 0, next = 0; i < j->tokens; i++) {
        int64_t at = find_kept(j, keep, i, &next);
        const real *from = at >= 0 ? j->y + (y + at) * j->d : j->x ? j->x + (x + i) * j->d : NULL;

        store(j, j->dx + (x + i) * j->d, j->add_x, from);
    }
}

/* The opposite: dx where the token is not kept, zeros where it is. */
static void leave_image(void *arg, int64_t b, int worker)
{
    const struct job *j = arg;
    const int32_t *keep = j->keep + b * j->kept;
    const int64_t x = b * j->tokens;

    (void)worker;
    for (int64_t i = 0, next = 0; i < j->tokens; i++) {
        int64_t at = find_kept(j, keep, i, &next);

        store(j, j->dx + (x + i) * j->d, j->add_x, at >= 0 ? NULL : j->x + (x + i) * j->d);
    }
}

static int clear(const struct mdm_call *c, int count)
{
    for (int i = 0; i < count; i++)
        if (c->din[i] && !c->add[i])
            memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
    return MASKDM_OK;
}

static int route_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c, 1);

    j.x = c->in[0];
    j.dy = c->out[0];
    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], gather_image, &j);
}

static int route_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c, 1);

    if (!c->dout[0] || !c->din[0])
        return clear(c, 1);
    j.y = c->dout[0];
    j.dx = c->din[0];
    j.add_x = c->add[0];
    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], join_image, &j);
}

static int unroute_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c, 2);

    j.x = c->in[0];
    j.y = c->in[1];
    j.dx = c->out[0];
    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], join_image, &j);
}

static int unroute_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c, 2);

    if (!c->dout[0])
        return clear(c, 2);
    j.x = c->dout[0];
    j.dx = c->din[0];
    j.dy = c->din[1];
    j.add_x = c->add[0];
    j.add_y = c->add[1];
    if (j.dx)
        MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], leave_image, &j));
    return j.dy ? mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], gather_image, &j) : MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_route) = {.forward = route_forward, .backward = route_backward};
const struct mdm_kernel REAL(mdm_cpu_unroute) = {.forward = unroute_forward, .backward = unroute_backward};
