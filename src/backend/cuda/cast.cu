/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From float to the type of programs and back: weights, and values within a program.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256, WIDE = 8 };

/* 8 values a thread; the few behind them one by one. */
template <class To, class From> static __global__ void cast(To *to, const From *from, int64_t n, int add, int wide)
{
    const int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * WIDE;
    float v[WIDE], old[WIDE];

    if (!wide || i + WIDE > n) {
        for (int64_t k = i; k < n && k < i + WIDE; k++)
            mdm_put(to + k, mdm_float(from[k]), add);
        return;
    }
#pragma unroll
    for (int k = 0; k < WIDE; k += mdm_pack<From>::N)
        mdm_load(v + k, from + i + k);
#pragma unroll
    for (int k = 0; add && k < WIDE; k += mdm_pack<To>::N)
        mdm_load(old + k, to + i + k);
#pragma unroll
    for (int k = 0; add && k < WIDE; k++)
        v[k] += old[k];
#pragma unroll
    for (int k = 0; k < WIDE; k += mdm_pack<To>::N)
        mdm_store(to + i + k, v + k);
}

template <class To> static __global__ void clear(To *to, int64_t n)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x)
        to[i] = mdm_round<To>(0);
}

template <class To, class From>
static int convert(struct mdm_backend *b, void *to, const void *from, int64_t n, int add)
{
    const dim3 grid((unsigned)mdm_cuda_pieces(mdm_cuda_pieces(n, WIDE), BLOCK));

    return mdm_cuda_launch(mdm_cuda_of(b), "cast", cast<To, From>, grid, BLOCK, 0, (To *)to, (const From *)from, n,
                           add, (((uintptr_t)to | (uintptr_t)from) & 15) == 0);
}

template <class To, class From> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return c->out[0] ? convert<To, From>(b, c->out[0], c->in[0], mdm_cuda_numel(c->out_shape[0]), 0) : MASKDM_OK;
}

template <class To, class From> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = mdm_cuda_numel(c->in_shape[0]);

    if (!c->din[0] || (!c->dout[0] && c->add[0]))
        return MASKDM_OK;
    if (c->dout[0])
        return convert<From, To>(b, c->din[0], c->dout[0], n, c->add[0]);
    return mdm_cuda_launch(d, "cast", clear<From>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, (From *)c->din[0], n);
}

template <class To, class From> static struct mdm_kernel kernel(void)
{
    struct mdm_kernel k = {};

    k.forward = forward<To, From>;
    k.backward = backward<To, From>;
    return k;
}

int mdm_cuda_add_cast(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_NARROW] = d->kernel[0][MDM_OP_WIDEN] = kernel<float, float>();
    d->kernel[1][MDM_OP_NARROW] = kernel<mdm_bf16, float>();
    d->kernel[1][MDM_OP_WIDEN] = kernel<float, mdm_bf16>();
    return MASKDM_OK;
}

int mdm_cuda_narrow(struct mdm_backend *b, void *to, const float *from, size_t n)
{
    return convert<mdm_bf16, float>(b, to, from, (int64_t)n, 0);
}
