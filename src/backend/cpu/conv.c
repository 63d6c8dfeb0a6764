/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conv: y = b + r + the sum of w over a window of x, as a product whose other factor is windows that are never stored
 * (Chetlur et al. 2014, cuDNN). A 1x1 convolution is the product itself.
 */
#include "backend/cpu/conv.h"
#include "backend/cpu/stored.h"
#include "base/error.h"

struct finish {
    const struct REAL(mdm_rows) * rows;
    real *y;
    const real *b, *r;
    int64_t out, pixels;
};

static void finish_tile(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    const struct finish *e = arg;

    for (int64_t i = row; i < row + rows; i++) {
        real *y = e->y + i * e->out + column;
        if (e->b)
            e->rows->add(y, y, e->b + column, columns);
        if (e->r)
            e->rows->add(y, y, e->r + i / e->pixels * e->out + column, columns);
    }
}

/* As the product takes it: in the order of windows, and where that is its own, as it is. */
static int take_weight(struct mdm_stored *out, struct mdm_cpu *cpu, const struct mdm_call *c,
                       const struct mdm_conv *v)
{
    struct mdm_turn t = mdm_conv_by_rows(v);

    if (v->taps == 1)
        return mdm_stored_weight(out, cpu, c, c->in[MDM_CONV_W], v->out * v->in);
    t.w = c->in[MDM_CONV_W];
    t.stored = c->stored;
    t.turned = c->scratch;
    *out = (struct mdm_stored){c->scratch, MDM_F32};
    return REAL(mdm_conv_turn)(cpu, &t);
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    const struct mdm_conv v = mdm_conv_read(c);
    const struct mdm_window x = mdm_conv_windows(&v, c->in[MDM_CONV_X]);
    struct finish e = {
        .rows = REAL(mdm_rows_of)(b), .y = c->out[0], .b = c->in[MDM_CONV_B], .r = c->in[MDM_CONV_R], .out = v.out};
    struct mdm_stored w;
    struct mdm_gemm g = {.tb = 1, .m = v.images * v.down * v.across, .n = v.out, .k = v.taps * v.in};

    e.pixels = v.down * v.across;
    MDM_TRY(take_weight(&w, cpu, c, &v));
    g.a = c->in[MDM_CONV_X];
    g.lda = v.in;
    g.windows_a = v.plain ? NULL : &x;
    g.b = w.w;
    g.stored_b = w.type;
    g.ldb = g.k;
    g.c = c->out[0];
    g.ldc = v.out;
    g.row_group = c->row_group;
    g.cancel = c->cancel;
    if (e.b || e.r) {
        g.epilogue = finish_tile;
        g.arg = &e;
    }
    return cpu->real_table.gemm(cpu, &g);
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const struct mdm_conv v = mdm_conv_read(c);
    size_t turned = v.taps > 1 || v.stride > 1 ? mdm_conv_align((size_t)(v.out * v.taps * v.in)) : 0, phase = 0, sums;

    if (!train)
        return v.taps > 1 ? turned * sizeof(real) : mdm_stored_scratch(b, c, v.out * v.in);
    if (v.stride > 1)
        phase = (size_t)(v.images * mdm_pieces(v.height, v.stride) * mdm_pieces(v.width, v.stride) * v.in);
    sums = (size_t)(v.images * mdm_pieces(v.down * v.across, MDM_ROWS) * v.out);
    return (turned + phase > sums ? turned + phase : sums) * sizeof(real);
}

const struct mdm_kernel REAL(mdm_cpu_conv) = {
    .forward = forward, .backward = REAL(mdm_conv_backward), .scratch = scratch};
