/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = x + r.
 */
#include "backend/cuda/columns.cuh"
#include "backend/cuda/each.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

struct plus {
    static __device__ __forceinline__ float f(const float *in)
    {
        return in[0] + in[1];
    }
};

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const mdm_each_in<T, 2> in = {{(const T *)c->in[0], (const T *)c->in[1]}};

    return mdm_each<T, plus>(mdm_cuda_of(b), "add", (T *)c->out[0], in, mdm_cuda_numel(c->out_shape[0]));
}

/* dx and dr (+)= dy, which is read once. */
struct split {
    const void *dy;
    void *to[2];
    int add[2];
};

template <class T> static __global__ void __launch_bounds__(BLOCK) split_gradient(const struct split j, int64_t n)
{
    enum { N = mdm_pack<T>::N };
    const int64_t packs = n / N, first = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    for (int64_t i = first; i < packs; i += (int64_t)gridDim.x * BLOCK) {
        float g[N], old[2][N];

        mdm_load(g, (const T *)j.dy + i * N);
#pragma unroll
        for (int k = 0; k < 2; k++)
            if (j.add[k])
                mdm_load(old[k], (const T *)j.to[k] + i * N);
#pragma unroll
        for (int k = 0; k < 2; k++) {
#pragma unroll
            for (int e = 0; e < N; e++)
                old[k][e] = j.add[k] ? old[k][e] + g[e] : g[e];
            mdm_store((T *)j.to[k] + i * N, old[k]);
        }
    }
    if (first < n - packs * N)
        for (int k = 0; k < 2; k++)
            mdm_put((T *)j.to[k] + packs * N + first, mdm_float(((const T *)j.dy)[packs * N + first]), j.add[k]);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = mdm_cuda_numel(c->out_shape[0]);
    const struct split j = {c->dout[0], {c->din[0], c->din[1]}, {c->add[0], c->add[1]}};
    const dim3 grid = mdm_cuda_grid(d, mdm_cuda_pieces(n, mdm_pack<mdm_bf16>::N), BLOCK);

    if (!j.dy)
        return mdm_cuda_clear_gradients(d, c, 0, 1, 0);
    /* x + x has one gradient, which is written and then added to. */
    if (j.to[0] && j.to[1] && j.to[0] != j.to[1])
        return c->dtype == MDM_BF16
                   ? mdm_cuda_launch(d, "add's gradient", split_gradient<mdm_bf16>, grid, BLOCK, 0, j, n)
                   : mdm_cuda_launch(d, "add's gradient", split_gradient<float>, grid, BLOCK, 0, j, n);
    for (int i = 0; i < 2; i++)
        if (j.to[i] && (i == 0 || j.add[i] || j.to[i] != j.to[0]))
            MDM_CUDA_TRY(mdm_cuda_pass(d, c->dtype, j.to[i], j.add[i], j.dy, n));
    return MASKDM_OK;
}

int mdm_cuda_add_add(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_ADD].forward = forward<float>;
    d->kernel[1][MDM_OP_ADD].forward = forward<mdm_bf16>;
    d->kernel[0][MDM_OP_ADD].backward = d->kernel[1][MDM_OP_ADD].backward = backward;
    return mdm_cuda_add_qkv_bias(d);
}
