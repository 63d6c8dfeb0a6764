/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gelu_linear: y = gelu(x) w' + b. The activation lives in scratch and is made anew in backward, so that of a
 * transformer's widest value one copy is kept between the passes and not two. The products are linear's.
 */
#include "backend/cpu/rows.h"

struct pass {
    const struct REAL(maskdm_rows) * rows;
    const real *x;
    real *h, *dx; /* h: the activation, or its gradient */
    int64_t n, width;
    int add;
};

static struct pass begin(struct maskdm_backend *b, const struct maskdm_call *c)
{
    struct pass p = {.rows = REAL(maskdm_rows_of)(b), .x = c->in[0], .h = c->scratch, .dx = c->din[0]};

    p.n = maskdm_shape_rows(c->in_shape[0]);
    p.width = maskdm_shape_last(c->in_shape[0]);
    p.add = c->add[0];
    return p;
}

static size_t activation_bytes(const struct maskdm_call *c)
{
    return ((size_t)maskdm_shape_numel(c->in_shape[0]) * sizeof(real) + 63) & ~(size_t)63;
}

/* The call that linear sees: h in place of x, and the scratch behind h. */
static struct maskdm_call inner(const struct maskdm_call *c)
{
    struct maskdm_call l = *c;

    l.in[0] = c->scratch;
    l.scratch = (unsigned char *)c->scratch + activation_bytes(c);
    return l;
}

static void activate_rows(void *arg, int64_t piece, int worker)
{
    const struct pass *p = arg;
    int64_t from = piece * MASKDM_ROWS, to = from + MASKDM_ROWS < p->n ? from + MASKDM_ROWS : p->n;

    (void)worker;
    for (int64_t at = from * p->width; at < to * p->width; at += p->width)
        p->rows->gelu(p->h + at, p->x + at, p->width);
}

static void deactivate_rows(void *arg, int64_t piece, int worker)
{
    const struct pass *p = arg;
    int64_t from = piece * MASKDM_ROWS, to = from + MASKDM_ROWS < p->n ? from + MASKDM_ROWS : p->n;

    (void)worker;
    for (int64_t at = from * p->width; at < to * p->width; at += p->width) {
        p->rows->gelu_backward(p->add ? p->h + at : p->dx + at, p->x + at, p->h + at, p->width);
        if (p->add)
            p->rows->add(p->dx + at, p->dx + at, p->h + at, p->width);
    }
}

static int forward(struct maskdm_backend *b, const struct maskdm_call *c)
{
    struct pass p = begin(b, c);
    struct maskdm_call l = inner(c);

    maskdm_pool_run(maskdm_cpu_of(b)->pool, maskdm_pieces(p.n, MASKDM_ROWS), activate_rows, &p);
    return REAL(maskdm_cpu_linear).forward(b, &l);
}

/* First dw and db, which read h; then h holds its own gradient, which becomes dx. */
static int backward(struct maskdm_backend *b, const struct maskdm_call *c)
{
    struct maskdm_pool *pool = maskdm_cpu_of(b)->pool;
    struct pass p = begin(b, c);
    struct maskdm_call l = inner(c);
    int status;

    if (!c->dout[0])
        return REAL(maskdm_cpu_linear).backward(b, c);
    maskdm_pool_run(pool, maskdm_pieces(p.n, MASKDM_ROWS), activate_rows, &p);
    l.din[0] = NULL;
    status = REAL(maskdm_cpu_linear).backward(b, &l);
    if (status < 0 || !p.dx)
        return status;
    l.din[0] = p.h;
    l.add[0] = 0;
    l.din[1] = l.din[2] = NULL;
    status = REAL(maskdm_cpu_linear).backward(b, &l);
    if (status == MASKDM_OK)
        maskdm_pool_run(pool, maskdm_pieces(p.n, MASKDM_ROWS), deactivate_rows, &p);
    return status;
}

static size_t scratch(const struct maskdm_backend *b, const struct maskdm_call *c, int train)
{
    return activation_bytes(c) + REAL(maskdm_cpu_linear).scratch(b, c, train);
}

const struct maskdm_kernel REAL(maskdm_cpu_gelu_linear) = {.forward = forward,
                                                           .backward = backward,
                                                           .scratch = scratch};
