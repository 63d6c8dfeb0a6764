/* SPDX-License-Identifier: BSD-2-Clause
 *
 * max_pool and average_pool: what lies outside of the image is in no window. Of equal values the first is the
 * largest, and has the whole gradient. A thread has V channels of a pixel of what is written; in backward it asks
 * every window that its pixel lies in, in their order.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 128 };

namespace
{

struct pool {
    int64_t n, height, width, packs, down, across; /* pixels and windows; packs of a pixel */
    int64_t stride, before, side;
    int add;
};

/* The part of a window that lies in the image: rows [top, bottom), columns [left, right). */
struct part {
    int64_t top, bottom, left, right;

    __device__ float share() const
    {
        return 1.0f / (float)((bottom - top) * (right - left));
    }
};

__device__ int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

__device__ struct part part_of(const struct pool &p, int64_t i, int64_t j)
{
    const int64_t y = i * p.stride - p.before, x = j * p.stride - p.before;

    return {y > 0 ? y : 0, least(y + p.side, p.height), x > 0 ? x : 0, least(x + p.side, p.width)};
}

/* The first window that pixel y of a row or column lies in, and the one behind the last of `count`. */
__device__ int64_t first_window(const struct pool &p, int64_t y)
{
    const int64_t from = y + p.before - p.side + 1;

    return from > 0 ? (from + p.stride - 1) / p.stride : 0;
}

__device__ int64_t last_window(const struct pool &p, int64_t y, int64_t count)
{
    return least((y + p.before) / p.stride + 1, count);
}

/* Bit v: channel v of pixel (y, x) is the first of the window to have the value of result r. */
template <class T, int V>
__device__ unsigned find_first(const struct pool &p, const struct part &w, const T *image, int64_t y, int64_t x,
                               int64_t k, const float *r)
{
    unsigned open = (1u << V) - 1, mine = 0;

    for (int64_t i = w.top; i <= y && open; i++)
        for (int64_t j = w.left; j < w.right && open; j++) {
            float value[V] = {0.0f};
            unsigned equal = 0;

            if (i == y && j > x)
                return mine;
            mdm_values<T, V>::load(image, (i * p.width + j) * p.packs + k).add_to(value);
#pragma unroll
            for (int v = 0; v < V; v++)
                equal |= (unsigned)(value[v] == r[v]) << v;
            if (i == y && j == x)
                mine = equal & open;
            open &= ~equal;
        }
    return mine;
}

} // namespace

template <class T, int V, int largest> static __global__ void make(struct pool p, const T *x, T *y)
{
    typedef mdm_values<T, V> values;

    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < p.n; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t k = i % p.packs, pixel = i / p.packs, row = pixel / p.across;
        const struct part w = part_of(p, row % p.down, pixel % p.across);
        const T *image = x + row / p.down * p.height * p.width * p.packs * V;
        float out[V] = {0.0f};

        for (int64_t h = w.top; h < w.bottom; h++)
            for (int64_t j = w.left; j < w.right; j++) {
                float value[V] = {0.0f};

                values::load(image, (h * p.width + j) * p.packs + k).add_to(value);
#pragma unroll
                for (int v = 0; v < V; v++)
                    if (!largest)
                        out[v] += value[v];
                    else if ((h == w.top && j == w.left) || value[v] > out[v])
                        out[v] = value[v];
            }
#pragma unroll
        for (int v = 0; v < V && !largest; v++)
            out[v] *= w.share();
        values::round(out).store(y, i);
    }
}

/* x and y are NULL unless `largest`. */
template <class T, int V, int largest>
static __global__ void spread(struct pool p, const T *x, const T *y, const T *dy, T *dx)
{
    typedef mdm_values<T, V> values;

    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < p.n; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t k = i % p.packs, pixel = i / p.packs, column = pixel % p.width,
                      row = pixel / p.width % p.height;
        const int64_t b = pixel / p.width / p.height;
        const int64_t bottom = last_window(p, row, p.down), right = last_window(p, column, p.across);
        float sum[V] = {0.0f};

        for (int64_t h = first_window(p, row); h < bottom; h++)
            for (int64_t j = first_window(p, column); j < right; j++) {
                const struct part w = part_of(p, h, j);
                const int64_t at = ((b * p.down + h) * p.across + j) * p.packs + k;
                float gradient[V] = {0.0f}, result[V] = {0.0f};
                unsigned mine = (1u << V) - 1;

                values::load(dy, at).add_to(gradient);
                if (largest) {
                    values::load(y, at).add_to(result);
                    mine = find_first<T, V>(p, w, x + b * p.height * p.width * p.packs * V, row, column, k, result);
                }
#pragma unroll
                for (int v = 0; v < V; v++)
                    if (mine >> v & 1)
                        sum[v] += largest ? gradient[v] : gradient[v] * w.share();
            }
        if (p.add)
            values::load(dx, i).add_to(sum);
        values::round(sum).store(dx, i);
    }
}

/* `written`: of what the threads write. */
static struct pool read_call(const struct mdm_call *c, const struct mdm_shape *written, int pack)
{
    const struct mdm_shape *x = c->in_shape[0], *y = c->out_shape[0];

    return {mdm_cuda_numel(written) / pack,
            x->d[1],
            x->d[2],
            x->d[3] / pack,
            y->d[1],
            y->d[2],
            c->attr[0],
            c->attr[1],
            c->attr[3],
            c->add[0]};
}

template <class T, int largest> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    enum { N = mdm_pack<T>::N };
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int packs = mdm_in_packs<T>(c->in_shape[0]->d[3]);
    const struct pool p = read_call(c, c->out_shape[0], packs ? N : 1);
    void (*const kernel)(struct pool, const T *, T *) = packs ? make<T, N, largest> : make<T, 1, largest>;

    return mdm_cuda_launch(d, "pool", kernel, mdm_cuda_grid(d, p.n, BLOCK), BLOCK, 0, p, (const T *)c->in[0],
                           (T *)c->out[0]);
}

template <class T, int largest> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    enum { N = mdm_pack<T>::N };
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int packs = mdm_in_packs<T>(c->in_shape[0]->d[3]);
    const struct pool p = read_call(c, c->in_shape[0], packs ? N : 1);
    void (*const kernel)(struct pool, const T *, const T *, const T *, T *) =
        packs ? spread<T, N, largest> : spread<T, 1, largest>;

    if (!c->din[0] || !c->dout[0])
        return mdm_clear(d, c, 0);
    return mdm_cuda_launch(d, "pool's gradient", kernel, mdm_cuda_grid(d, p.n, BLOCK), BLOCK, 0, p,
                           (const T *)c->in[0], (const T *)c->out[0], (const T *)c->dout[0], (T *)c->din[0]);
}

template <class T> static void add_kernels(struct mdm_kernel *k)
{
    k[MDM_OP_MAX_POOL] = {forward<T, 1>, backward<T, 1>, NULL, NULL};
    k[MDM_OP_AVERAGE_POOL] = {forward<T, 0>, backward<T, 0>, NULL, NULL};
}

int mdm_cuda_add_pool(struct mdm_cuda *d)
{
    add_kernels<float>(d->kernel[0]);
    add_kernels<mdm_bf16>(d->kernel[1]);
    return MASKDM_OK;
}
