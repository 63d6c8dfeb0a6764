/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = x + r.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

template <class T> static __global__ void add(T *y, const T *x, const T *r, int64_t n)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x)
        y[i] = mdm_round<T>(mdm_float(x[i]) + mdm_float(r[i]));
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = mdm_cuda_numel(c->out_shape[0]);

    return mdm_cuda_launch(d, "add", add<T>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, (T *)c->out[0],
                           (const T *)c->in[0], (const T *)c->in[1], n);
}

int mdm_cuda_add_add(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_ADD].forward = forward<float>;
    d->kernel[1][MDM_OP_ADD].forward = forward<mdm_bf16>;
    return MASKDM_OK;
}
