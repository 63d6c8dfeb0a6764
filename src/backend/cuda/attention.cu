/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention: what a call asks for, and which kernels do it.
 */
#include "backend/cuda/attention.cuh"
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256, LANES = 8 }; /* of a block; that share a row of a head in delta's kernel */

static mdm_attention read_call(const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    mdm_attention a = {};

    a.qkv = c->in[0];
    a.dy = c->dout[0];
    a.y = c->out[0];
    a.lse = (float *)c->out[1];
    a.delta = (float *)c->scratch;
    a.pair = (float2 *)c->scratch;
    a.dqkv = c->din[0];
    a.batch = s->d[0];
    a.n = mdm_cuda_rows(s) / a.batch;
    a.heads = c->attr[0];
    a.dim = mdm_cuda_last(s) / 3;
    a.width = a.dim / a.heads;
    a.add = c->add[0];
    return a;
}

/* The sum of dy y over each row of each head: [B,N,h,D/h] -> [B,h,N]. */
template <class T> static __global__ void sum_rows(mdm_attention a, int64_t items)
{
    const int64_t group = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / LANES,
                  groups = gridDim.x * (BLOCK / LANES);
    const int lane = threadIdx.x % LANES;

    for (int64_t first = group / (MDM_WARP / LANES) * (MDM_WARP / LANES); first < items; first += groups) {
        const int64_t item = first + group % (MDM_WARP / LANES);
        float sum = 0;

        if (item < items && a.width % mdm_pack<T>::N == 0)
            for (int64_t i = lane * mdm_pack<T>::N; i < a.width; i += LANES * mdm_pack<T>::N) {
                float y[mdm_pack<T>::N], dy[mdm_pack<T>::N];

                mdm_load(y, (const T *)a.y + item * a.width + i);
                mdm_load(dy, (const T *)a.dy + item * a.width + i);
#pragma unroll
                for (int k = 0; k < mdm_pack<T>::N; k++)
                    sum = fmaf(y[k], dy[k], sum);
            }
        else if (item < items)
            for (int64_t i = lane; i < a.width; i += LANES)
                sum = fmaf(mdm_float(((const T *)a.y)[item * a.width + i]),
                           mdm_float(((const T *)a.dy)[item * a.width + i]), sum);
#pragma unroll
        for (int k = LANES / 2; k > 0; k /= 2)
            sum += __shfl_xor_sync(0xffffffffu, sum, k);
        if (lane == 0 && item < items) {
            const int64_t head = item % a.heads, row = item / a.heads;

            a.delta[(row / a.n * a.heads + head) * a.n + row % a.n] = sum;
        }
    }
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const mdm_attention a = read_call(c);

    if (mdm_attention_fast_takes(&a, c->dtype))
        return mdm_attention_fast_forward(mdm_cuda_of(b), &a);
    return mdm_attention_general_forward(mdm_cuda_of(b), &a, c->dtype);
}

static int forward_by_groups(struct mdm_backend *b, const struct mdm_call *c)
{
    const mdm_attention a = read_call(c);

    if (!mdm_attention_fast_takes(&a, c->dtype) || !mdm_attention_group_takes(&a))
        return forward<mdm_bf16>(b, c);
    return mdm_attention_group_forward(mdm_cuda_of(b), &a);
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const mdm_attention a = read_call(c);
    const int64_t items = a.batch * a.n * a.heads;

    if (!a.dqkv || (!a.dy && a.add))
        return MASKDM_OK;
    if (!a.dy)
        return mdm_cuda_check(d, cudaMemsetAsync(a.dqkv, 0, (size_t)(items * a.width * 3) * sizeof(T), d->stream),
                              "attention");
    if (mdm_attention_fast_takes(&a, c->dtype))
        return mdm_attention_fast_backward(d, &a);
    MDM_CUDA_TRY(
        mdm_cuda_launch(d, "attention", sum_rows<T>, mdm_cuda_grid(d, items * LANES, BLOCK), BLOCK, 0, a, items));
    return mdm_attention_general_backward(d, &a, c->dtype);
}

static int backward_by_groups(struct mdm_backend *b, const struct mdm_call *c)
{
    const mdm_attention a = read_call(c);

    if (!a.dqkv || !a.dy || !mdm_attention_fast_takes(&a, c->dtype) || !mdm_attention_group_takes(&a))
        return backward<mdm_bf16>(b, c);
    return mdm_attention_group_backward(mdm_cuda_of(b), &a);
}

static size_t scratch(const struct mdm_backend *, const struct mdm_call *c, int train)
{
    const mdm_attention a = read_call(c);

    if (!train)
        return 0;
    if (!mdm_attention_fast_takes(&a, c->dtype))
        return (size_t)(a.batch * a.n * a.heads) * sizeof(float);
    return mdm_attention_fast_scratch(&a) + (mdm_attention_group_takes(&a) ? mdm_attention_group_scratch(&a) : 0);
}

template <class T> static struct mdm_kernel row(void)
{
    struct mdm_kernel k = {};

    k.forward = forward<T>;
    k.backward = backward<T>;
    k.scratch = scratch;
    return k;
}

int mdm_cuda_add_attention(struct mdm_cuda *d)
{
    int groups;

    MDM_CUDA_TRY(mdm_attention_general_allow(d));
    MDM_CUDA_TRY(mdm_attention_general_backward_allow(d));
    MDM_CUDA_TRY(mdm_attention_fast_allow(d));
    MDM_CUDA_TRY(mdm_attention_fast_backward_allow(d));
    d->kernel[0][MDM_OP_ATTENTION] = row<float>();
    d->kernel[1][MDM_OP_ATTENTION] = row<mdm_bf16>();
    MDM_CUDA_TRY(groups = mdm_attention_group_here(d));
    if (!groups)
        return MASKDM_OK;
    MDM_CUDA_TRY(mdm_attention_group_allow(d));
    MDM_CUDA_TRY(mdm_attention_group_backward_allow(d));
    d->kernel[1][MDM_OP_ATTENTION].forward = forward_by_groups;
    d->kernel[1][MDM_OP_ATTENTION].backward = backward_by_groups;
    return MASKDM_OK;
}
