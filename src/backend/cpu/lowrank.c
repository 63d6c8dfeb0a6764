/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lowrank: y = w + s b a. The sum is taken on each tile of the product while it is in cache; in backward the scale
 * goes into copies of the narrow factors.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

struct lowrank {
    int64_t made, taken, rank; /* O, I, r */
    real scale;
};

static struct lowrank read_shapes(const struct mdm_call *c)
{
    struct lowrank l = {.made = c->in_shape[0]->d[0], .rank = c->in_shape[1]->d[0], .scale = (real)c->constant[0]};

    l.taken = mdm_shape_numel(c->in_shape[0]) / l.made;
    return l;
}

struct sum {
    const real *w;
    real *y, scale;
    int64_t width;
};

static void add_tile(void *arg, int64_t row, int64_t rows, int64_t column, int64_t columns)
{
    const struct sum *s = arg;

    for (int64_t r = row; r < row + rows; r++) {
        const real *w = s->w + r * s->width;
        real *y = s->y + r * s->width;

        for (int64_t k = column; k < column + columns; k++)
            y[k] = w[k] + s->scale * y[k];
    }
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    const struct lowrank l = read_shapes(c);
    struct sum s = {.w = c->in[0], .y = c->out[0], .scale = l.scale, .width = l.taken};
    const struct mdm_gemm g = {.m = l.made,
                               .n = l.taken,
                               .k = l.rank,
                               .a = c->in[2],
                               .lda = l.rank,
                               .b = c->in[1],
                               .ldb = l.taken,
                               .c = s.y,
                               .ldc = l.taken,
                               .cancel = c->cancel,
                               .epilogue = add_tile,
                               .arg = &s};

    return cpu->real_table.gemm(cpu, &g);
}

static void scale_into(real *to, const real *from, real scale, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = scale * from[i];
}

/* da = s b' dy */
static int narrow_gradient(struct mdm_cpu *cpu, const struct mdm_call *c, const struct lowrank *l)
{
    struct mdm_gemm g = {.ta = 1, .add = c->add[1], .m = l->rank, .n = l->taken, .k = l->made};

    scale_into(c->scratch, c->in[2], l->scale, l->made * l->rank);
    g.a = c->scratch;
    g.lda = l->rank;
    g.b = c->dout[0];
    g.ldb = l->taken;
    g.c = c->din[1];
    g.ldc = l->taken;
    g.cancel = c->cancel;
    return cpu->real_table.gemm(cpu, &g);
}

/* db = s dy a' */
static int tall_gradient(struct mdm_cpu *cpu, const struct mdm_call *c, const struct lowrank *l)
{
    struct mdm_gemm g = {.tb = 1, .add = c->add[2], .m = l->made, .n = l->rank, .k = l->taken};

    scale_into(c->scratch, c->in[1], l->scale, l->rank * l->taken);
    g.a = c->dout[0];
    g.lda = l->taken;
    g.b = c->scratch;
    g.ldb = l->taken;
    g.c = c->din[2];
    g.ldc = l->rank;
    g.cancel = c->cancel;
    return cpu->real_table.gemm(cpu, &g);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    const struct lowrank l = read_shapes(c);

    for (int i = 0; i < 3 && !c->dout[0]; i++)
        if (c->din[i] && !c->add[i])
            memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
    if (!c->dout[0])
        return MASKDM_OK;
    if (c->din[0])
        MDM_TRY(REAL(mdm_cpu_accumulate)(b, c->din[0], c->add[0], c->dout[0], l.made * l.taken));
    if (c->din[1])
        MDM_TRY(narrow_gradient(cpu, c, &l));
    return c->din[2] ? tall_gradient(cpu, c, &l) : MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const struct lowrank l = read_shapes(c);

    (void)b;
    return train ? (size_t)(l.rank * (l.made > l.taken ? l.made : l.taken)) * sizeof(real) : 0;
}

const struct mdm_kernel REAL(mdm_cpu_lowrank) = {
    .forward = forward, .backward = backward, .scratch = scratch, .remake = forward};
