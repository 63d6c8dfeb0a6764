/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lowrank: y = w + s b a. What y gets is float, as a weight's gradient is, so in backward the narrow factors are made
 * float too.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/product.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256, W = 0, A = 1, B = 2 };

struct lowrank {
    int64_t made, taken, rank; /* O, I, r */
    float scale;
};

static struct lowrank read_shapes(const struct mdm_call *c)
{
    struct lowrank l = {};

    l.made = c->in_shape[W]->d[0];
    l.rank = c->in_shape[A]->d[0];
    l.taken = mdm_cuda_numel(c->in_shape[W]) / l.made;
    l.scale = (float)c->constant[0];
    return l;
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct lowrank l = read_shapes(c);
    struct mdm_cuda_product p = {};

    p.m = l.made;
    p.n = l.taken;
    p.k = l.rank;
    p.in = p.out = mdm_type_of<T>();
    p.a = c->in[B];
    p.lda = l.rank;
    p.b = c->in[A];
    p.ldb = l.taken;
    p.c = c->out[0];
    p.ldc = l.taken;
    p.plus = c->in[W];
    p.factor = 1;
    p.scaled = 1;
    p.scale = l.scale;
    return mdm_cuda_product(mdm_cuda_of(b), &p);
}

static __global__ void accumulate(float *dst, const float *src, int64_t n, int add)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x)
        mdm_put(dst + i, src[i], add);
}

template <class T> static __global__ void scale_into(float *to, const T *from, float scale, int64_t n)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x)
        to[i] = scale * mdm_float(from[i]);
}

template <class T>
static int scaled(struct mdm_cuda *d, const struct mdm_call *c, int factor, float scale, float **out)
{
    const int64_t n = mdm_cuda_numel(c->in_shape[factor]);

    *out = (float *)c->scratch;
    return mdm_cuda_launch(d, "lowrank", scale_into<T>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, *out,
                           (const T *)c->in[factor], scale, n);
}

/* da = s b' dy */
template <class T> static int narrow_gradient(struct mdm_cuda *d, const struct mdm_call *c, const struct lowrank *l)
{
    struct mdm_cuda_product p = {};
    float *b;

    MDM_CUDA_TRY(scaled<T>(d, c, B, l->scale, &b));
    p.m = l->rank;
    p.n = l->taken;
    p.k = l->made;
    p.turn_a = 1;
    p.add = c->add[A];
    p.a = b;
    p.lda = l->rank;
    p.b = c->dout[0];
    p.ldb = l->taken;
    p.c = c->din[A];
    p.ldc = l->taken;
    return mdm_cuda_product(d, &p);
}

/* db = s dy a' */
template <class T> static int tall_gradient(struct mdm_cuda *d, const struct mdm_call *c, const struct lowrank *l)
{
    struct mdm_cuda_product p = {};
    float *a;

    MDM_CUDA_TRY(scaled<T>(d, c, A, l->scale, &a));
    p.m = l->made;
    p.n = l->rank;
    p.k = l->taken;
    p.turn_b = 1;
    p.add = c->add[B];
    p.a = c->dout[0];
    p.lda = l->taken;
    p.b = a;
    p.ldb = l->taken;
    p.c = c->din[B];
    p.ldc = l->rank;
    return mdm_cuda_product(d, &p);
}

static int clear(struct mdm_cuda *d, const struct mdm_call *c)
{
    for (int i = W; i <= B; i++)
        if (c->din[i] && !c->add[i])
            MDM_CUDA_TRY(mdm_cuda_check(
                d, cudaMemsetAsync(c->din[i], 0, (size_t)mdm_cuda_numel(c->in_shape[i]) * sizeof(float), d->stream),
                "gradients of zero"));
    return MASKDM_OK;
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct lowrank l = read_shapes(c);
    const int64_t n = l.made * l.taken;

    if (!c->dout[0])
        return clear(d, c);
    if (c->din[W])
        MDM_CUDA_TRY(mdm_cuda_launch(d, "lowrank", accumulate, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0,
                                     (float *)c->din[W], (const float *)c->dout[0], n, c->add[W]));
    if (c->din[A])
        MDM_CUDA_TRY(narrow_gradient<T>(d, c, &l));
    return c->din[B] ? tall_gradient<T>(d, c, &l) : MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *, const struct mdm_call *c, int train)
{
    const struct lowrank l = read_shapes(c);

    return train ? (size_t)(l.rank * (l.made > l.taken ? l.made : l.taken)) * sizeof(float) : 0;
}

template <class T> static void add_kernel(struct mdm_kernel *k)
{
    k->forward = k->remake = forward<T>;
    k->backward = backward<T>;
    k->scratch = scratch;
}

int mdm_cuda_add_lowrank(struct mdm_cuda *d)
{
    add_kernel<float>(&d->kernel[0][MDM_OP_LOWRANK]);
    add_kernel<mdm_bf16>(&d->kernel[1][MDM_OP_LOWRANK]);
    return MASKDM_OK;
}
