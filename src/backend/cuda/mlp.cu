/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mlp: y = f(pre) w2' + b2 of pre = x w1' + b1. Where mlp_product.cuh has the middle it comes from the products'
 * epilogues; rounded where the three operations round that mlp is made of.
 */
#include "backend/cuda/curve.cuh"
#include "backend/cuda/each.cuh"
#include "backend/cuda/layer.cuh"
#include "backend/cuda/mlp_product.cuh"
#include "backend/cuda/parts.cuh"
#include "backend/cuda/table.cuh"

enum { X, W1, B1, W2, B2, INS, Y = 0, PRE, ACT };

struct mlp {
    struct mdm_cuda_layer first, second;
    int64_t values; /* of the middle */
    int tanh;
};

static struct mlp read_shapes(const struct mdm_call *c)
{
    const enum mdm_dtype type = c->dtype == MDM_BF16 ? MDM_BF16 : MDM_F32;
    const int64_t rows = mdm_cuda_rows(c->in_shape[X]), in = mdm_cuda_last(c->in_shape[X]);
    const int64_t hidden = c->in_shape[W1]->d[0], out = c->in_shape[W2]->d[0];

    return {{rows, in, hidden, in, c->row_group, type},
            {rows, hidden, out, hidden, c->row_group, type},
            rows * hidden,
            c->attr[0] != 0};
}

template <class T> static int activate(struct mdm_cuda *d, const struct mlp *m, T *y, const T *x)
{
    const mdm_each_in<T, 1> in = {{x}};

    if (m->tanh)
        return mdm_each<T, mdm_curve<mdm_gelu_tanh>>(d, "an mlp's middle", y, in, m->values);
    return mdm_each<T, mdm_curve<mdm_gelu<T>>>(d, "an mlp's middle", y, in, m->values);
}

/* dy becomes dy f'(x). */
template <class T> static int deactivate(struct mdm_cuda *d, const struct mlp *m, T *dy, const T *x)
{
    const mdm_each_in<T, 2> in = {{x, dy}};

    if (m->tanh)
        return mdm_each<T, mdm_uncurve<mdm_gelu_tanh>>(d, "an mlp's middle", dy, in, m->values);
    return mdm_each<T, mdm_uncurve<mdm_gelu<T>>>(d, "an mlp's middle", dy, in, m->values);
}

/* Whether p may be done, which is set but for its operands. Images that are to have the bits that they have alone are
 * few rows, which cuBLASLt has better algorithms for. */
static int joins(struct mdm_cuda *d, const struct mlp *m, const struct mdm_mlp_product *p)
{
    return m->first.type == MDM_BF16 && !m->tanh && !m->first.group && mdm_mlp_product_takes(d, p);
}

/* pre and f(pre). */
template <class T>
static int make_middle(struct mdm_cuda *d, const struct mlp *m, const struct mdm_call *c, T *pre, T *act)
{
    struct mdm_mlp_product p = {};

    p.m = m->first.rows;
    p.n = p.ldc = m->first.out;
    p.k = p.lda = p.ldb = m->first.in;
    p.a = c->in[X];
    p.b = c->in[W1];
    p.bias = c->in[B1];
    p.pre = pre == act ? NULL : pre;
    p.y = act;
    if (joins(d, m, &p))
        return mdm_mlp_product(d, &p);
    MDM_CUDA_TRY(mdm_cuda_layer_forward(d, &m->first, pre, m->first.type, c->in[X], c->in[W1], c->in[B1], 0));
    return activate(d, m, act, pre);
}

/* pre's gradient, and that of b1. */
template <class T>
static int unmake_middle(struct mdm_cuda *d, const struct mlp *m, const struct mdm_call *c, T *dpre, void *parts)
{
    struct mdm_mlp_product p = {};

    p.backward = 1;
    p.m = m->second.rows;
    p.n = p.ldb = p.ldc = m->second.in;
    p.k = p.lda = m->second.out;
    p.a = c->dout[Y];
    p.b = c->in[W2];
    p.pre = c->out[PRE];
    p.y = dpre;
    p.sums = (float *)c->din[B1];
    p.add_sums = c->add[B1];
    p.parts = parts;
    if (joins(d, m, &p))
        return mdm_mlp_product(d, &p);
    MDM_CUDA_TRY(mdm_cuda_layer_input(d, &m->second, dpre, c->dout[Y], c->in[W2], 0));
    MDM_CUDA_TRY(deactivate(d, m, dpre, (const T *)c->out[PRE]));
    return mdm_cuda_layer_bias(d, &m->first, c->din[B1], dpre, c->add[B1], parts);
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct mlp m = read_shapes(c);
    T *const act = (T *)(c->out[ACT] ? c->out[ACT] : c->scratch), *const pre = c->out[PRE] ? (T *)c->out[PRE] : act;

    MDM_CUDA_TRY(make_middle(d, &m, c, pre, act));
    return mdm_cuda_layer_forward(d, &m.second, c->out[Y], m.second.type, act, c->in[W2], c->in[B2], 0);
}

template <class T> static size_t middle_bytes(const struct mlp *m)
{
    return mdm_cuda_align((size_t)m->values * sizeof(T));
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct mlp m = read_shapes(c);
    const void *dy = c->dout[Y];
    T *const dpre = (T *)c->scratch;
    void *const parts = (unsigned char *)c->scratch + middle_bytes<T>(&m);

    if (!dy)
        return mdm_cuda_clear_gradients(d, c, X, B2, 1u << W1 | 1u << B1 | 1u << W2 | 1u << B2);
    MDM_CUDA_TRY(mdm_cuda_layer_bias(d, &m.second, c->din[B2], dy, c->add[B2], parts));
    MDM_CUDA_TRY(mdm_cuda_layer_weight(d, &m.second, c->din[W2], dy, c->out[ACT], c->add[W2]));
    if (!c->din[X] && !c->din[W1] && !c->din[B1])
        return MASKDM_OK;
    MDM_CUDA_TRY(unmake_middle(d, &m, c, dpre, parts));
    MDM_CUDA_TRY(mdm_cuda_layer_weight(d, &m.first, c->din[W1], dpre, c->in[X], c->add[W1]));
    return mdm_cuda_layer_input(d, &m.first, c->din[X], dpre, c->in[W1], c->add[X]);
}

static size_t sums_bytes(const struct mdm_cuda_layer *l)
{
    return mdm_cuda_sums_scratch(1, l->rows, l->out);
}

template <class T> static size_t scratch(const struct mdm_backend *, const struct mdm_call *c, int train)
{
    const struct mlp m = read_shapes(c);
    size_t parts = sums_bytes(&m.first);

    if (sums_bytes(&m.second) > parts)
        parts = sums_bytes(&m.second);
    if (mdm_mlp_product_scratch(m.first.rows, m.first.out) > parts)
        parts = mdm_mlp_product_scratch(m.first.rows, m.first.out);
    return middle_bytes<T>(&m) + (train ? parts : 0);
}

template <class T> static void add_type(struct mdm_kernel *k)
{
    k->forward = forward<T>;
    k->backward = backward<T>;
    k->scratch = scratch<T>;
}

int mdm_cuda_add_mlp(struct mdm_cuda *d)
{
    add_type<float>(&d->kernel[0][MDM_OP_MLP]);
    add_type<mdm_bf16>(&d->kernel[1][MDM_OP_MLP]);
    return mdm_mlp_product_allow(d);
}
