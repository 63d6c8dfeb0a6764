/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conv backward. dw = dy' times the windows of x. dx takes windows of dy: with stride s the pixels of x fall into s x
 * s phases, of which each meets its own pixels of w, s apart, and those alone.
 */
#include "backend/cpu/conv.h"
#include "base/error.h"

#include <string.h>

struct sums {
    const struct REAL(mdm_rows) * rows;
    const real *dy;
    real *part; /* [B,pieces,O] */
    int64_t pixels, pieces, out;
};

static void sum_piece(void *arg, int64_t piece, int worker)
{
    const struct sums *s = arg;
    const int64_t from = piece % s->pieces * MDM_ROWS, left = s->pixels - from, n = left < MDM_ROWS ? left : MDM_ROWS;
    const real *dy = s->dy + (piece / s->pieces * s->pixels + from) * s->out;
    real *sum = s->part + piece * s->out;

    (void)worker;
    memset(sum, 0, (size_t)s->out * sizeof(real));
    for (int64_t i = 0; i < n; i++)
        s->rows->add(sum, sum, dy + i * s->out, s->out);
}

static int sum_gradients(struct mdm_backend *b, const struct mdm_call *c, const struct mdm_conv *v)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct sums s = {.rows = REAL(mdm_rows_of)(b), .dy = c->dout[0], .part = c->scratch, .out = v->out};

    s.pixels = v->down * v->across;
    s.pieces = mdm_pieces(s.pixels, MDM_ROWS);
    if (!c->din[MDM_CONV_B] && !c->din[MDM_CONV_R])
        return MASKDM_OK;
    MDM_TRY(mdm_pool_run(cpu->pool, v->images * s.pieces, sum_piece, &s));
    if (c->din[MDM_CONV_B])
        MDM_TRY(REAL(mdm_cpu_combine)(cpu, c->din[MDM_CONV_B], c->add[MDM_CONV_B], s.part, v->images * s.pieces,
                                      v->out, v->out));
    if (c->din[MDM_CONV_R])
        MDM_TRY(REAL(mdm_cpu_combine_images)(cpu, c->din[MDM_CONV_R], v->out, c->add[MDM_CONV_R], s.part, s.pieces,
                                             v->out, v->out, v->images));
    return MASKDM_OK;
}

/* ---- backward: dw ---- */

static int weight_gradient(struct mdm_cpu *cpu, const struct mdm_call *c, const struct mdm_conv *v)
{
    const struct mdm_window x = mdm_conv_windows(v, c->in[MDM_CONV_X]);
    struct mdm_gemm g = {.ta = 1, .m = v->out, .n = v->taps * v->in, .k = v->images * v->down * v->across};
    struct mdm_turn t = mdm_conv_by_rows(v);

    if (!c->din[MDM_CONV_W])
        return MASKDM_OK;
    g.a = c->dout[0];
    g.lda = v->out;
    g.b = c->in[MDM_CONV_X];
    g.ldb = v->in;
    g.windows_b = v->plain ? NULL : &x;
    g.c = v->taps > 1 ? c->scratch : c->din[MDM_CONV_W];
    g.ldc = g.n;
    g.add = v->taps == 1 && c->add[MDM_CONV_W];
    g.cancel = c->cancel;
    MDM_TRY(cpu->real_table.gemm(cpu, &g));
    if (v->taps == 1)
        return MASKDM_OK;
    t.turned = c->scratch;
    t.dw = c->din[MDM_CONV_W];
    t.add = c->add[MDM_CONV_W];
    return REAL(mdm_conv_turn)(cpu, &t);
}

/* ---- backward: dx ---- */

/* Every s-th pixel of every s-th row of dx. */
struct phase {
    const struct REAL(mdm_rows) * rows;
    const real *from; /* [B,down,across,I] */
    real *dx;
    int add;
    int64_t height, width, in, stride, y, x, down, across;
};

static void spread_tile(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    const struct phase *p = arg;

    for (int64_t i = row; i < row + rows; i++) {
        int64_t b = i / (p->down * p->across), y = i / p->across % p->down * p->stride + p->y;
        int64_t x = i % p->across * p->stride + p->x;
        const real *from = p->from + i * p->in + column;
        real *dx = p->dx + ((b * p->height + y) * p->width + x) * p->in + column;
        if (p->add)
            p->rows->add(dx, dx, from, columns);
        else
            memcpy(dx, from, (size_t)columns * sizeof(real));
    }
}

/* How many pixels of `most`, the stride apart, a phase meets; *first is the first of them, and *reach how far back
 * the window over dy begins. */
static int64_t meet(int64_t most, int64_t stride, int64_t from, int64_t *first, int64_t *reach)
{
    int64_t n = mdm_pieces(most - from % stride, stride);

    *first = from % stride;
    *reach = n - 1 - from / stride;
    return n;
}

/* The product of one phase, whose windows over dy go forward where those over x go back. */
static int phase_gradient(struct mdm_backend *b, const struct mdm_call *c, const struct mdm_conv *v, int64_t y,
                          int64_t x)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    const int64_t s = v->stride;
    struct mdm_window dy = {.x = c->dout[0], .height = v->down, .width = v->across, .channels = v->out, .stride = 1};
    struct phase p = {
        .rows = REAL(mdm_rows_of)(b), .dx = c->din[MDM_CONV_X], .add = c->add[MDM_CONV_X], .in = v->in, .stride = s};
    struct mdm_turn t = {
        .w = c->in[MDM_CONV_W], .turned = c->scratch, .out = v->out, .in = v->in, .pixels = v->taps, .by_out = v->in};
    struct mdm_gemm g = {.n = v->in, .ldb = v->in, .ldc = v->in, .lda = v->out, .cancel = c->cancel};
    int64_t row, column;

    dy.down = p.down = mdm_pieces(v->height - y, s);
    dy.across = p.across = mdm_pieces(v->width - x, s);
    t.taps.tall = dy.tall = meet(v->tall, s, y + v->before, &row, &dy.top);
    t.taps.wide = dy.wide = meet(v->wide, s, x + v->left, &column, &dy.left);
    if (dy.down < 1 || dy.across < 1 || dy.tall < 1 || dy.wide < 1)
        return MASKDM_OK;
    t.taps.first = (row + s * (dy.tall - 1)) * v->wide + column + s * (dy.wide - 1);
    t.taps.down = -s * v->wide;
    t.taps.right = -s;
    t.by_tap = v->out * v->in;
    if (v->taps > 1)
        MDM_TRY(REAL(mdm_conv_turn)(cpu, &t));
    p.height = v->height;
    p.width = v->width;
    p.y = y;
    p.x = x;
    g.m = v->images * dy.down * dy.across;
    g.k = dy.tall * dy.wide * v->out;
    g.a = c->dout[0];
    g.windows_a = v->plain ? NULL : &dy;
    g.b = v->taps > 1 ? c->scratch : c->in[MDM_CONV_W];
    g.c = c->din[MDM_CONV_X];
    g.add = c->add[MDM_CONV_X];
    if (s > 1) {
        p.from = g.c = (real *)c->scratch + mdm_conv_align((size_t)(v->out * v->taps * v->in));
        g.add = 0;
        g.epilogue = spread_tile;
        g.arg = &p;
    }
    return cpu->real_table.gemm(cpu, &g);
}

static int image_gradient(struct mdm_backend *b, const struct mdm_call *c, const struct mdm_conv *v)
{
    if (!c->din[MDM_CONV_X])
        return MASKDM_OK;
    if (!c->add[MDM_CONV_X] && (v->tall < v->stride || v->wide < v->stride)) /* some pixels are in no window */
        memset(c->din[MDM_CONV_X], 0, (size_t)mdm_shape_numel(c->in_shape[MDM_CONV_X]) * sizeof(real));
    for (int64_t y = 0; y < v->stride; y++)
        for (int64_t x = 0; x < v->stride; x++)
            MDM_TRY(phase_gradient(b, c, v, y, x));
    return MASKDM_OK;
}

int REAL(mdm_conv_backward)(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_conv v = mdm_conv_read(c);

    if (!c->dout[0]) {
        for (int i = MDM_CONV_X; i <= MDM_CONV_R; i++)
            if (c->din[i] && !c->add[i])
                memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
        return MASKDM_OK;
    }
    MDM_TRY(sum_gradients(b, c, &v));
    MDM_TRY(image_gradient(b, c, &v));
    return weight_gradient(mdm_cpu_of(b), c, &v);
}
