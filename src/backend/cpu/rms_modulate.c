/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rms_modulate: y = x r w (1 + scale) + shift, where scale and shift are columns of the image's row of m. A piece of
 * work is some rows of one image; what the gradients of w and m need of them is left in scratch and combined in
 * order.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

/* Rows of a piece's scratch. */
enum { SCALE, SHIFT, WEIGHT, BOTH, SPARE, PARTS };

struct job {
    const struct REAL(mdm_rows) * rows;
    const real *x, *w, *m, *dy;
    real *y, *r, *dx;     /* r may be NULL */
    int64_t scale, shift; /* columns of m */
    double epsilon;
    real *part; /* [B,pieces,PARTS,D]: gradients of scale, shift and w; w (1 + scale); a row of gradient */
    int64_t tokens, d, width, pieces; /* of an image: rows, pieces; width of m's rows */
    int add;
};

static struct job read_call(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = {.rows = REAL(mdm_rows_of)(b), .x = c->in[0], .w = c->in[1], .m = c->in[2]};

    j.y = c->out[0];
    j.r = c->out[1];
    j.dy = c->dout[0];
    j.dx = c->din[0];
    j.add = c->add[0];
    j.scale = c->attr[0];
    j.shift = c->attr[1];
    j.epsilon = c->constant[0];
    j.part = c->scratch;
    j.tokens = c->in_shape[0]->d[1];
    j.d = c->in_shape[0]->d[2];
    j.width = c->in_shape[2]->d[1];
    j.pieces = mdm_pieces(j.tokens, MDM_ROWS);
    return j;
}

struct span {
    int64_t from, to; /* rows, of all */
    const real *m;
};

static struct span find_span(const struct job *j, int64_t piece)
{
    int64_t image = piece / j->pieces, row = piece % j->pieces * MDM_ROWS;
    int64_t n = j->tokens - row < MDM_ROWS ? j->tokens - row : MDM_ROWS, from = image * j->tokens + row;

    return (struct span){.from = from, .to = from + n, .m = j->m + image * j->width};
}

static void norm_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    struct span s = find_span(j, piece);

    (void)worker;
    for (int64_t i = s.from; i < s.to; i++) {
        real *y = j->y + i * j->d, r = j->rows->rms_norm(y, j->x + i * j->d, j->w, j->epsilon, j->d);

        if (j->r)
            j->r[i] = r;
        j->rows->modulate(y, y, s.m + j->scale, s.m + j->shift, j->d);
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);

    return mdm_pool_run(mdm_cpu_of(b)->pool, c->in_shape[0]->d[0] * j.pieces, norm_rows, &j);
}

/* The gradient of a norm whose weight is w (1 + scale), which then is divided among the two. */
static void unnorm_rows(void *arg, int64_t piece, int worker)
{
    const struct job *j = arg;
    struct span s = find_span(j, piece);
    int64_t d = j->d;
    real *part = j->part + piece * PARTS * d, *both = part + BOTH * d;

    (void)worker;
    memset(part, 0, (size_t)(2 * d) * sizeof(real));
    j->rows->mul_add(both, j->w, j->w, s.m + j->scale, d);
    for (int64_t i = s.from; i < s.to; i++) {
        const real *dy = j->dy + i * d;
        real *dx = j->dx ? j->dx + i * d : NULL, *g = dx && !j->add ? dx : part + SPARE * d;

        j->rows->rms_norm_backward(g, part + SCALE * d, dy, j->x + i * d, both, j->r[i], d);
        j->rows->add(part + SHIFT * d, part + SHIFT * d, dy, d);
        if (dx && j->add)
            j->rows->add(dx, dx, g, d);
    }
    j->rows->mul_add(part + WEIGHT * d, part + SCALE * d, part + SCALE * d, s.m + j->scale, d);
    j->rows->mul_add(part + SCALE * d, NULL, part + SCALE * d, j->w, d);
}

static int combine_image(struct mdm_backend *b, const struct mdm_call *c, const struct job *j, int64_t column,
                         int part)
{
    return REAL(mdm_cpu_combine_images)(mdm_cpu_of(b), (real *)c->din[2] + column, j->width, 1, j->part + part * j->d,
                                        j->pieces, PARTS * j->d, j->d, c->in_shape[0]->d[0]);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct job j = read_call(b, c);
    const int64_t pieces = c->in_shape[0]->d[0] * j.pieces;

    /* Where nothing is added yet, the columns of others are zeros. */
    for (int i = j.dy ? 2 : 0; i < 3; i++)
        if (c->din[i] && !c->add[i])
            memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
    if (!j.dy)
        return MASKDM_OK;
    MDM_TRY(mdm_pool_run(mdm_cpu_of(b)->pool, pieces, unnorm_rows, &j));
    if (c->din[1])
        MDM_TRY(REAL(mdm_cpu_combine)(mdm_cpu_of(b), c->din[1], c->add[1], j.part + WEIGHT * j.d, pieces, PARTS * j.d,
                                      j.d));
    if (!c->din[2])
        return MASKDM_OK;
    MDM_TRY(combine_image(b, c, &j, j.scale, SCALE));
    return combine_image(b, c, &j, j.shift, SHIFT);
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const int64_t *d = c->in_shape[0]->d;

    (void)b;
    return train ? (size_t)(d[0] * mdm_pieces(d[1], MDM_ROWS) * PARTS * d[2]) * sizeof(real) : 0;
}

const struct mdm_kernel REAL(mdm_cpu_rms_modulate) = {
    .forward = forward, .backward = backward, .scratch = scratch, .remake = forward};
