/* SPDX-License-Identifier: BSD-2-Clause
 *
 * angles: cosines and sines of the angles of places in a grid; qk_rotate: the heads of q and k normalised and turned
 * by them. Backward leaves the sums of dq and dk over each piece of rows in scratch and combines them in order.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

/* ---- angles ---- */

struct grid {
    const int32_t *index, *keep;
    real *y, *line;                        /* line[rows or columns,W/2]: [cos | sin] of a number's angles */
    int64_t places, taken, columns, width; /* of an image: places told, and those taken of them */
};

static void fill_line(void *arg, int64_t number, int worker)
{
    const struct grid *g = arg;
    const int64_t n = g->width / 4;
    real *line = g->line + number * 2 * n;

    (void)worker;
    for (int64_t i = 0; i < n; i++) {
        const double angle = (double)number * pow(1e4, -(double)i / (double)n);

        line[i] = (real)cos(angle);
        line[n + i] = (real)sin(angle);
    }
}

static void fill_image(void *arg, int64_t b, int worker)
{
    const struct grid *g = arg;
    const int64_t n = g->width / 4;
    const size_t bytes = (size_t)n * sizeof(real);

    (void)worker;
    for (int64_t k = 0; k < g->taken; k++) {
        const int64_t at = g->index[b * g->places + (g->keep ? g->keep[b * g->taken + k] : k)];
        const real *row = g->line + at / g->columns * 2 * n, *column = g->line + at % g->columns * 2 * n;
        real *y = g->y + (b * g->taken + k) * g->width;

        memcpy(y, row, bytes);
        memcpy(y + n, column, bytes);
        memcpy(y + 2 * n, row + n, bytes);
        memcpy(y + 3 * n, column + n, bytes);
    }
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int angles_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct grid g = {.index = c->in[0], .keep = c->in[1], .y = c->out[0], .line = c->scratch, .columns = c->attr[1]};

    g.width = c->out_shape[0]->d[2];
    g.places = c->in_shape[0]->d[1];
    g.taken = c->out_shape[0]->d[1];
    MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, greater(c->attr[0], c->attr[1]), fill_line, &g));
    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0], fill_image, &g);
}

static size_t angles_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    (void)b;
    (void)train;
    return (size_t)(greater(c->attr[0], c->attr[1]) * (c->out_shape[0]->d[2] / 2)) * sizeof(real);
}

/* Places have no gradient. */
static int angles_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    (void)b;
    (void)c;
    return MASKDM_OK;
}

/* ---- qk_rotate ---- */

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *qkv, *w[2], *angles, *dy;
    real *y, *r, *dqkv; /* r may be NULL */
    real *part;         /* [pieces,4,D/h]: dq, dk, a head's gradient turned back, and that of what it was */
    double epsilon;
    int64_t n, tokens, extras, heads, width, dim; /* rows of all, of an image, and those of it that are not turned */
    int add;
};

enum { PARTS = 4 };

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .qkv = c->in[0], .w = {c->in[1], c->in[2]}, .angles = c->in[3]};

    j.y = c->out[0];
    j.r = c->out[1];
    j.dy = c->dout[0];
    j.dqkv = c->din[0];
    j.add = c->add[0];
    j.part = c->scratch;
    j.epsilon = c->constant[0];
    j.n = mdm_shape_rows(c->in_shape[0]);
    j.tokens = c->in_shape[0]->d[1];
    j.extras = j.tokens - c->in_shape[3]->d[1];
    j.heads = c->attr[0];
    j.dim = c->in_shape[0]->d[2] / 3;
    j.width = j.dim / j.heads;
    return j;
}

/* The cosines of a row's angles, its sines behind them; NULL: it is not turned. */
static const real *find_angles(const struct job *j, int64_t row)
{
    const int64_t token = row % j->tokens - j->extras;

    return token < 0 ? NULL : j->angles + (row / j->tokens * (j->tokens - j->extras) + token) * j->width;
}

static void rotate_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n, half = j->width / 2;

    (void)worker;
    for (int64_t i = from; i < to; i++) {
        const real *x = j->qkv + i * 3 * j->dim, *c = find_angles(j, i);
        real *y = j->y + i * 3 * j->dim;

        for (int64_t head = 0; head < 2 * j->heads; head++, x += j->width, y += j->width) {
            const real *w = j->w[head >= j->heads];
            real r = w ? j->rows->rms_norm(y, x, w, j->epsilon, j->width) : 1;

            if (!w)
                memcpy(y, x, (size_t)j->width * sizeof(real));
            if (j->r)
                j->r[i * 2 * j->heads + head] = r;
            if (c)
                j->rows->turn(y, y, c, c + half, 1, half);
        }
        memcpy(y, x, (size_t)j->dim * sizeof(real));
    }
}

static int rotate_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j.n, MDM_ROWS), rotate_rows, &j);
}

static void store(const struct job *j, real *dst, int add, const real *g, int64_t n)
{
    if (add)
        j->rows->add(dst, dst, g, n);
    else if (dst != g)
        memcpy(dst, g, (size_t)n * sizeof(real));
}

static void unrotate_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    int64_t from = piece * MDM_ROWS, to = from + MDM_ROWS < j->n ? from + MDM_ROWS : j->n, d = j->width;
    real *dw = j->part + piece * PARTS * d, *back = dw + 2 * d, *spare = back + d;

    (void)worker;
    memset(dw, 0, (size_t)d * 2 * sizeof(real));
    for (int64_t i = from; i < to; i++) {
        const real *x = j->qkv + i * 3 * j->dim, *dy = j->dy + i * 3 * j->dim, *c = find_angles(j, i);
        real *dx = j->dqkv ? j->dqkv + i * 3 * j->dim : NULL;

        for (int64_t head = 0; head < 2 * j->heads; head++, x += d, dy += d) {
            const int key = head >= j->heads;
            const real r = j->r[i * 2 * j->heads + head];
            real *g = dx && !j->add ? dx + head * d : spare;

            if (c)
                j->rows->turn(back, dy, c, c + d / 2, -1, d / 2);
            if (j->w[key])
                j->rows->rms_norm_backward(g, dw + key * d, c ? back : dy, x, j->w[key], r, d);
            else
                memcpy(g, c ? back : dy, (size_t)d * sizeof(real));
            if (dx)
                store(j, dx + head * d, j->add, g, d);
        }
        if (dx)
            store(j, dx + 2 * j->dim, j->add, dy, j->dim);
    }
}

static int rotate_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct job j = read_call(b, c);
    const int64_t pieces = mdm_pieces(j.n, MDM_ROWS);

    if (!j.dy) {
        for (int i = 0; i < 4; i++)
            if (c->din[i] && !c->add[i])
                memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
        return MASKDM_OK;
    }
    MDM_TRY(mdm_pool_run(cpu->pool, pieces, unrotate_rows, &j));
    for (int i = 0; i < 2; i++)
        if (c->din[1 + i])
            MDM_TRY(REAL(mdm_cpu_combine)(cpu, c->din[1 + i], c->add[1 + i], j.part + i * j.width, pieces,
                                          PARTS * j.width, j.width));
    return MASKDM_OK;
}

static size_t rotate_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    (void)b;
    if (!train)
        return 0;
    return (size_t)(mdm_pieces(mdm_shape_rows(c->in_shape[0]), MDM_ROWS) * PARTS * c->in_shape[3]->d[2]) *
           sizeof(real);
}

const struct mdm_kernel REAL(mdm_cpu_angles) = {
    .forward = angles_forward, .backward = angles_backward, .scratch = angles_scratch};
const struct mdm_kernel REAL(mdm_cpu_qk_rotate) = {
    .forward = rotate_forward, .backward = rotate_backward, .scratch = rotate_scratch, .remake = rotate_forward};
