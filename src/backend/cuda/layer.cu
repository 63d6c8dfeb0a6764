/* SPDX-License-Identifier: BSD-2-Clause
 *
 * layer.cuh by cuBLASLt.
 */
#include "backend/cuda/layer.cuh"

#include "backend/cuda/kernel.cuh"

static struct mdm_cuda_product begin(const struct mdm_layer *l, int64_t m, int64_t n, int64_t k, int add)
{
    struct mdm_cuda_product p = {};

    p.m = m;
    p.n = n;
    p.k = k;
    p.add = add;
    p.in = p.out = l->type;
    return p;
}

int mdm_layer_forward(struct mdm_cuda *d, const struct mdm_layer *l, void *y, enum mdm_dtype made, const void *x,
                      const void *w, const void *b, int add)
{
    struct mdm_cuda_product p = begin(l, l->rows, l->out, l->in, add);

    p.turn_b = 1;
    p.out = made;
    p.a = x;
    p.lda = l->in;
    p.b = w;
    p.ldb = l->apart;
    p.bias = b;
    p.c = y;
    p.ldc = l->out;
    p.group = l->group;
    return mdm_cuda_product(d, &p);
}

int mdm_layer_input(struct mdm_cuda *d, const struct mdm_layer *l, void *dx, const void *dy, const void *w, int add)
{
    struct mdm_cuda_product p = begin(l, l->rows, l->in, l->out, add);

    p.a = dy;
    p.lda = l->out;
    p.b = w;
    p.ldb = l->apart;
    p.c = dx;
    p.ldc = l->in;
    p.group = l->group;
    return dx ? mdm_cuda_product(d, &p) : MASKDM_OK;
}

int mdm_layer_weight(struct mdm_cuda *d, const struct mdm_layer *l, void *dw, const void *dy, const void *x, int add)
{
    struct mdm_cuda_product p = begin(l, l->out, l->in, l->rows, add);

    p.turn_a = 1;
    p.out = MDM_F32;
    p.a = dy;
    p.lda = l->out;
    p.b = x;
    p.ldb = l->in;
    p.c = dw;
    p.ldc = l->apart;
    return dw ? mdm_cuda_product(d, &p) : MASKDM_OK;
}

int mdm_layer_bias(struct mdm_cuda *d, const struct mdm_layer *l, void *db, const void *dy, int add, void *scratch)
{
    struct mdm_cuda_sums s = {};

    s.images = 1;
    s.rows = l->rows;
    s.columns = l->out;
    s.type = l->type;
    s.x = dy;
    s.all = (float *)db;
    s.add_all = add;
    s.parts = (float *)scratch;
    return db ? mdm_cuda_sums(d, &s) : MASKDM_OK;
}
