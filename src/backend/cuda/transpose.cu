/* SPDX-License-Identifier: BSD-2-Clause
 *
 * transpose: each row of x[R,a b], a matrix of a rows, becomes one of b rows. The matrices are a patch's prediction,
 * hundreds of values: results are written in order, and what is read of a matrix in strides stays in the cache until
 * the next value beside it is wanted.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

/* A thread has V values of y, whose matrices have `columns` rows and `rows` columns. */
template <class T, int V>
static __global__ void turn(const T *x, T *y, int64_t n, int64_t rows, int64_t columns, int add)
{
    const int64_t each = rows * columns;

    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t at = i * V % each;
        const T *from = x + (i * V - at);
        int64_t c = at / rows, r = at % rows;
        mdm_values<T, V> value;
        T v[V];

#pragma unroll
        for (int k = 0; k < V; k++) {
            v[k] = from[r * columns + c];
            if (++r == rows) {
                r = 0;
                c++;
            }
        }
        value = mdm_values<T, V>::of(v);
        if (add)
            value.add(mdm_values<T, V>::load(y, i));
        value.store(y, i);
    }
}

template <class T>
static int run(struct mdm_cuda *d, const struct mdm_shape *shape, const void *x, void *y, int64_t rows, int add)
{
    enum { N = mdm_pack<T>::N };
    const int64_t each = mdm_cuda_last(shape);
    const int packs = mdm_in_packs<T>(each);
    const int64_t n = mdm_cuda_numel(shape) / (packs ? N : 1);
    void (*const kernel)(const T *, T *, int64_t, int64_t, int64_t, int) = packs ? turn<T, N> : turn<T, 1>;

    return mdm_cuda_launch(d, "transpose", kernel, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, (const T *)x, (T *)y, n,
                           rows, each / rows, add);
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return run<T>(mdm_cuda_of(b), c->in_shape[0], c->in[0], c->out[0], c->attr[0], 0);
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    if (!c->din[0] || !c->dout[0])
        return mdm_clear(mdm_cuda_of(b), c, 0);
    return run<T>(mdm_cuda_of(b), c->in_shape[0], c->dout[0], c->din[0], mdm_cuda_last(c->in_shape[0]) / c->attr[0],
                  c->add[0]);
}

int mdm_cuda_add_transpose(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_TRANSPOSE] = {forward<float>, backward<float>, NULL, NULL};
    d->kernel[1][MDM_OP_TRANSPOSE] = {forward<mdm_bf16>, backward<mdm_bf16>, NULL, NULL};
    return MASKDM_OK;
}
