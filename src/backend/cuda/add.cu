/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = x + r.
 */
#include "backend/cuda/columns.cuh"
#include "backend/cuda/each.cuh"
#include "backend/cuda/table.cuh"

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

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);

    if (!c->dout[0])
        return mdm_cuda_clear_gradients(d, c, 0, 1, 0);
    for (int i = 0; i < 2; i++)
        if (c->din[i])
            MDM_CUDA_TRY(
                mdm_cuda_pass(d, c->dtype, c->din[i], c->add[i], c->dout[0], mdm_cuda_numel(c->in_shape[i])));
    return MASKDM_OK;
}

int mdm_cuda_add_add(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_ADD].forward = forward<float>;
    d->kernel[1][MDM_OP_ADD].forward = forward<mdm_bf16>;
    d->kernel[0][MDM_OP_ADD].backward = d->kernel[1][MDM_OP_ADD].backward = backward;
    return mdm_cuda_add_qkv_bias(d);
}
