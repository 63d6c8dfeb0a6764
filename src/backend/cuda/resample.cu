/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upsample: each pixel four times; downsample: the means of four. Up to a factor of 4 the backward of each is the
 * other. A thread has V channels of a pixel of the smaller image.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

namespace
{

struct images {
    int64_t n, width, packs; /* values of the smaller, its pixels in a row, packs of a pixel; all counted in packs */
    float factor;
    int add;
};

/* The first of the four values of the larger image, in packs. */
__device__ int64_t first_of_four(const struct images &j, int64_t i)
{
    const int64_t pixel = i / j.packs, row = pixel / j.width, x = pixel % j.width;

    return (row * 4 * j.width + 2 * x) * j.packs + i % j.packs;
}

} // namespace

template <class T, int V> static __global__ void widen(struct images j, const T *from, T *to)
{
    typedef mdm_values<T, V> values;

    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < j.n; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t first = first_of_four(j, i);
        float value[V] = {0.0f};

        values::load(from, i).add_to(value);
#pragma unroll
        for (int v = 0; v < V; v++)
            value[v] *= j.factor;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            const int64_t at = first + ((k & 1) + (k >> 1) * 2 * j.width) * j.packs;
            float sum[V];

#pragma unroll
            for (int v = 0; v < V; v++)
                sum[v] = value[v];
            if (j.add)
                values::load(to, at).add_to(sum);
            values::round(sum).store(to, at);
        }
    }
}

template <class T, int V> static __global__ void narrow(struct images j, const T *from, T *to)
{
    typedef mdm_values<T, V> values;

    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < j.n; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t first = first_of_four(j, i);
        values x[4];
        float sum[V] = {0.0f};

#pragma unroll
        for (int k = 0; k < 4; k++)
            x[k] = values::load(from, first + ((k & 1) + (k >> 1) * 2 * j.width) * j.packs);
#pragma unroll
        for (int k = 0; k < 4; k++)
            x[k].add_to(sum);
#pragma unroll
        for (int v = 0; v < V; v++)
            sum[v] *= j.factor;
        if (j.add)
            values::load(to, i).add_to(sum);
        values::round(sum).store(to, i);
    }
}

/* wider: from the smaller image to the larger. */
template <class T>
static int run(struct mdm_backend *b, const struct mdm_shape *small, const void *from, void *to, int wider,
               float factor, int add)
{
    enum { N = mdm_pack<T>::N };
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int packs = mdm_in_packs<T>(small->d[3]), pack = packs ? N : 1;
    const struct images j = {mdm_cuda_numel(small) / pack, small->d[2], small->d[3] / pack, factor, add};
    void (*const kernel)(struct images, const T *, T *) =
        wider ? (packs ? widen<T, N> : widen<T, 1>) : (packs ? narrow<T, N> : narrow<T, 1>);

    return mdm_cuda_launch(d, "resample", kernel, mdm_cuda_grid(d, j.n, BLOCK), BLOCK, 0, j, (const T *)from,
                           (T *)to);
}

template <class T> static int upsample_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return run<T>(b, c->in_shape[0], c->in[0], c->out[0], 1, 1.0f, 0);
}

template <class T> static int upsample_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    if (!c->din[0] || !c->dout[0])
        return mdm_clear(mdm_cuda_of(b), c, 0);
    return run<T>(b, c->in_shape[0], c->dout[0], c->din[0], 0, 1.0f, c->add[0]);
}

template <class T> static int downsample_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return run<T>(b, c->out_shape[0], c->in[0], c->out[0], 0, 0.25f, 0);
}

template <class T> static int downsample_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    if (!c->din[0] || !c->dout[0])
        return mdm_clear(mdm_cuda_of(b), c, 0);
    return run<T>(b, c->out_shape[0], c->dout[0], c->din[0], 1, 0.25f, c->add[0]);
}

template <class T> static void add_kernels(struct mdm_kernel *k)
{
    k[MDM_OP_UPSAMPLE] = {upsample_forward<T>, upsample_backward<T>, NULL, upsample_forward<T>};
    k[MDM_OP_DOWNSAMPLE] = {downsample_forward<T>, downsample_backward<T>, NULL, NULL};
}

int mdm_cuda_add_resample(struct mdm_cuda *d)
{
    add_kernels<float>(d->kernel[0]);
    add_kernels<mdm_bf16>(d->kernel[1]);
    return MASKDM_OK;
}
