/* SPDX-License-Identifier: BSD-2-Clause
 *
 * layer.cuh by cuBLASLt.
 */
#include "backend/cuda/layer.cuh"

#include "backend/cuda/kernel.cuh"

static struct mdm_cuda_product begin(const struct mdm_cuda_layer *l, int64_t m, int64_t n, int64_t k, int add)
{
    struct mdm_cuda_product p = {};

    p.m = m;
    p.n = n;
    p.k = k;
    p.add = add;
    p.in = p.out = l->type;
    return p;
}

static void lay(struct mdm_cuda_product *p, const void *a, int64_t lda, const void *b, int64_t ldb, void *c,
                int64_t ldc)
{
    p->a = a;
    p->lda = lda;
    p->b = b;
    p->ldb = ldb;
    p->c = c;
    p->ldc = ldc;
}

int mdm_cuda_layer_forward(struct mdm_cuda *d, const struct mdm_cuda_layer *l, void *y, enum mdm_dtype made,
                           const void *x, const void *w, const void *b, int add)
{
    struct mdm_cuda_product p = begin(l, l->rows, l->out, l->in, add);

    lay(&p, x, l->in, w, l->apart, y, l->out);
    p.turn_b = 1;
    p.out = made;
    p.bias = b;
    p.group = l->group;
    return mdm_cuda_product(d, &p);
}

int mdm_cuda_layer_input(struct mdm_cuda *d, const struct mdm_cuda_layer *l, void *dx, const void *dy, const void *w,
                         int add)
{
    struct mdm_cuda_product p = begin(l, l->rows, l->in, l->out, add);

    lay(&p, dy, l->out, w, l->apart, dx, l->in);
    p.group = l->group;
    return dx ? mdm_cuda_product(d, &p) : MASKDM_OK;
}

int mdm_cuda_layer_weight(struct mdm_cuda *d, const struct mdm_cuda_layer *l, void *dw, const void *dy, const void *x,
                          int add)
{
    struct mdm_cuda_product p = begin(l, l->out, l->in, l->rows, add);

    lay(&p, dy, l->out, x, l->in, dw, l->apart);
    p.turn_a = 1;
    p.out = MDM_F32;
    return dw ? mdm_cuda_product(d, &p) : MASKDM_OK;
}

int mdm_cuda_layer_bias(struct mdm_cuda *d, const struct mdm_cuda_layer *l, void *db, const void *dy, int add,
                        void *scratch)
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
