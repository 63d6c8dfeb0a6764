/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conv: y = b + r + the sum of w over a window of x, as a product whose other factor is windows that are never stored
 * (Chetlur et al. 2014, cuDNN). A 1x1 convolution is the product itself.
 */
#include "backend/cpu/conv.h"
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

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    const struct mdm_conv v = mdm_conv_read(c);
    const struct mdm_window x = mdm_conv_windows(&v, c->in[MDM_CONV_X]);
    struct finish e = {
        .rows = REAL(mdm_rows_of)(b), .y = c->out[0], .b = c->in[MDM_CONV_B], .r = c->in[MDM_CONV_R], .out = v.out};
    struct mdm_turn t = mdm_conv_by_rows(&v);
    struct mdm_gemm g = {.tb = 1, .m = v.images * v.down * v.across, .n = v.out, .k = v.taps * v.in};

    e.pixels = v.down * v.across;
    t.w = c->in[MDM_CONV_W];
    t.turned = c->scratch;
    if (v.taps > 1)
        MDM_TRY(REAL(mdm_conv_turn)(cpu, &t));
    g.a = c->in[MDM_CONV_X];
    g.lda = v.in;
    g.windows_a = v.plain ? NULL : &x;
    g.b = v.taps > 1 ? c->scratch : c->in[MDM_CONV_W];
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

    (void)b;
    if (!train)
        return v.taps > 1 ? turned * sizeof(real) : 0;
    if (v.stride > 1)
        phase = (size_t)(v.images * mdm_pieces(v.height, v.stride) * mdm_pieces(v.width, v.stride) * v.in);
    sums = (size_t)(v.images * mdm_pieces(v.down * v.across, MDM_ROWS) * v.out);
    return (turned + phase > sums ? turned + phase : sums) * sizeof(real);
}

const struct mdm_kernel REAL(mdm_cpu_conv) = {
    .forward = forward, .backward = REAL(mdm_conv_backward), .scratch = scratch};
