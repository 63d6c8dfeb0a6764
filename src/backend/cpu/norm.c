/* SPDX-License-Identifier: BSD-2-Clause
 *
 * layernorm and add_norm, which normalises the sum of its first two inputs. Backward leaves the sums of dw and db
 * over each piece of rows in scratch and combines them in order; add_norm's reads the sum, not its terms.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *x, *r, *w, *b; /* r: NULL for layernorm */
    real *sum, *y, *stats;     /* sum and stats may be NULL */
    const real *dsum, *dy;     /* may be NULL */
    real *dx, *dr;
    int add_x, add_r;
    real *part; /* [pieces,3,D]: dw, db, a row of gradient */
    double epsilon;
    int64_t n, d;
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c, int sum)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .w = c->in[sum + 1], .b = c->in[sum + 2]};

    j.r = sum ? c->in[1] : NULL;
    j.sum = sum ? c->out[0] : NULL;
    j.y = c->out[sum];
    j.stats = c->out[sum + 1];
    j.dsum = sum ? c->dout[0] : NULL;
    j.dy = c->dout[sum];
    j.dx = c->din[0];
    j.add_x = c->add[0];
    j.dr = sum ? c->din[1] : NULL;
    j.add_r = sum ? c->add[1] : 0;
    j.part = c->scratch;
    j.epsilon = c->constant[0];
    j.d = mdm_shape_last(c->in_shape[0]);
    j.n = mdm_shape_rows(c->in_shape[0]);
    return j;
}

static void forward_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n;
    real unused[2];

    (void)worker;
    for (int64_t i = from; i < to; i++) {
        const real *x = j->x + i * j->d;
        real *y = j->y + i * j->d;
        if (j->r) {
            /* Without a place for the sum it passes through y's row, which norm reads before it writes. */
            real *s = j->sum ? j->sum + i * j->d : y;
            j->rows->add(s, x, j->r + i * j->d, j->d);
            x = s;
        }
        j->rows->norm(y, j->stats ? j->stats + 2 * i : unused, x, j->w, j->b, j->epsilon,
                      j->d);
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c, int sum)
{
    struct job j = read_call(b, c, sum);

    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, MDM_ROWS), forward_rows, &j);
}

/* y anew: a row's norm again, of the sum where there is one. */
static int remake(struct mdm_backend *b, const struct mdm_call *c, int sum)
{
    struct job j = read_call(b, c, sum);

    if (sum)
        j.x = j.sum;
    j.r = NULL;
    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, MDM_ROWS), forward_rows, &j);
}

static void store(const struct job *j, real *dst, int add, const real *g)
{
    if (!dst || dst == g)
        return;
    if (add)
        j->rows->add(dst, dst, g, j->d);
    else
        memcpy(dst, g, (size_t)j->d * sizeof(real));
}

static void backward_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n, d = j->d;
    real *dw = j->part + piece * 3 * d, *db = dw + d, *spare = db + d;

    (void)worker;
    memset(dw, 0, (size_t)d * 2 * sizeof(real));
    for (int64_t i = from; i < to; i++) {
        const real *x = (j->sum ? j->sum : j->x) + i * d;
        real *dx = j->dx ? j->dx + i * d : NULL, *dr = j->dr ? j->dr + i * d : NULL;
        real *g = dx && !j->add_x ? dx : dr && !j->add_r ? dr : spare;
        j->rows->norm_backward(g, dw, db, j->dy + i * d, x, j->w, j->stats + 2 * i, j->dsum ? j->dsum + i * d : NULL,
                               d);
        store(j, dx, j->add_x, g);
        store(j, dr, j->add_r, g);
    }
}

/* Without dy only the sum's own gradient passes, and w and b get none. */
static int pass_sum(struct mdm_backend *b, const struct mdm_call *c, const struct job *j, int sum)
{
    int64_t n = j->n * j->d;

    for (int i = 0; i <= sum; i++) {
        if (!c->din[i])
            continue;
        if (j->dsum)
            MDM_TRY(REAL(mdm_cpu_accumulate)(b, c->din[i], c->add[i], j->dsum, n));
        else if (!c->add[i])
            memset(c->din[i], 0, (size_t)n * sizeof(real));
    }
    for (int i = sum + 1; i <= sum + 2; i++)
        if (c->din[i] && !c->add[i])
            memset(c->din[i], 0, (size_t)j->d * sizeof(real));
    return MASKDM_OK;
}

static int backward(struct mdm_backend *b, const struct mdm_call *c, int sum)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct job j = read_call(b, c, sum);
    int64_t pieces = mdm_pieces(j.n, MDM_ROWS);

    if (!j.dy)
        return pass_sum(b, c, &j, sum);
    MDM_TRY(mdm_pool_run(cpu->pool, pieces, backward_rows, &j));
    for (int i = 0, k = sum + 1; i < 2; i++, k++)
        if (c->din[k])
            MDM_TRY(REAL(mdm_cpu_combine)(cpu, c->din[k], c->add[k], j.part + i * j.d, pieces, 3 * j.d, j.d));
    return MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    (void)b;
    if (!train)
        return 0;
    return (size_t)(mdm_pieces(mdm_shape_rows(c->in_shape[0]), MDM_ROWS) * 3 *
                    mdm_shape_last(c->in_shape[0])) *
           sizeof(real);
}

static int layernorm_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 0);
}

static int layernorm_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, 0);
}

static int layernorm_remake(struct mdm_backend *b, const struct mdm_call *c)
{
    return remake(b, c, 0);
}

static int add_norm_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return forward(b, c, 1);
}

static int add_norm_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward(b, c, 1);
}

static int add_norm_remake(struct mdm_backend *b, const struct mdm_call *c)
{
    return remake(b, c, 1);
}

const struct mdm_kernel REAL(mdm_cpu_layernorm) = {.forward = layernorm_forward,
                                                   .backward = layernorm_backward,
                                                   .scratch = scratch,
                                                   .remake = layernorm_remake};
const struct mdm_kernel REAL(mdm_cpu_add_norm) = {.forward = add_norm_forward,
                                                  .backward = add_norm_backward,
                                                  .scratch = scratch,
                                                  .remake = add_norm_remake};
