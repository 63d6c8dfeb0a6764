/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows that are moved, and rows that are summed. What goes where is told by a job, a struct that a file of kernels
 * hands over: how it reads and writes is the same for all of them.
 *
 * Rows go by 16 bytes where every one begins and ends at such a place, else value by value. Few threads take a row,
 * each with several loads on their way before it stores; a long row is cut into pieces, which is as good as more
 * rows.
 */
#ifndef MASKDM_BACKEND_CUDA_MOVE_CUH
#define MASKDM_BACKEND_CUDA_MOVE_CUH

#include "backend/cuda/parts.cuh"

#include <string.h>

enum { MDM_MOVE_BLOCK = 256, MDM_MOVE_LOADS = 4, MDM_SUM_LANES = 8, MDM_SUM_LOADS = 4 };

/* V values that lie together, V being 1 or a pack, as one word that the compiler does not take apart. The word of
 * nothing but zeros is 0 in both types. */
template <size_t bytes> struct mdm_bits;
template <> struct mdm_bits<2> {
    typedef unsigned short word;
};
template <> struct mdm_bits<4> {
    typedef unsigned word;
};
template <> struct mdm_bits<16> {
    typedef uint4 word;
};

template <class T, int V> struct mdm_values {
    typedef typename mdm_bits<V * sizeof(T)>::word word;
    word bits;

    static __device__ __forceinline__ mdm_values zeros()
    {
        return {word{}};
    }
    /* The i-th from p on. Counting in words keeps nvcc from storing them in quarters. */
    static __device__ __forceinline__ mdm_values load(const T *p, int64_t i)
    {
        return {((const word *)p)[i]};
    }
    __device__ __forceinline__ void store(T *p, int64_t i) const
    {
        ((word *)p)[i] = bits;
    }
    /* Onto float sums; `round` is the way back. */
    __device__ __forceinline__ void add_to(float *sum) const
    {
        T v[V];

        memcpy(v, &bits, sizeof v);
#pragma unroll
        for (int i = 0; i < V; i++)
            sum[i] += mdm_float(v[i]);
    }
    static __device__ __forceinline__ mdm_values of(const T *v)
    {
        mdm_values x;

        memcpy(&x.bits, v, sizeof x.bits);
        return x;
    }
    static __device__ __forceinline__ mdm_values round(const float *sum)
    {
        T v[V];

#pragma unroll
        for (int i = 0; i < V; i++)
            v[i] = mdm_round<T>(sum[i]);
        return of(v);
    }
    __device__ __forceinline__ void add(const mdm_values &x)
    {
        float sum[V] = {0.0f};

        add_to(sum);
        x.add_to(sum);
        *this = round(sum);
    }
};

/* Where `value` stands among n rising ones, or -1. */
static __device__ __forceinline__ int64_t mdm_find(const int32_t *rising, int64_t n, int64_t value)
{
    int64_t low = 0, high = n;

    while (low < high) {
        const int64_t middle = (low + high) / 2;

        if (rising[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && rising[low] == value ? low : -1;
}

/* Whether all these widths are whole packs, so that what begins behind some of them is aligned as memory is. */
template <class T> static inline int mdm_in_packs(int64_t a, int64_t b = 0, int64_t c = 0)
{
    return a % mdm_pack<T>::N == 0 && b % mdm_pack<T>::N == 0 && c % mdm_pack<T>::N == 0;
}

/* ---- rows that are moved ---- */

/* n values of `from`, or of `from` + `plus`, which is NULL elsewhere, go to `to`, or are added to what is there.
 * Zeros where `from` is NULL. */
template <class T> struct mdm_span {
    T *to;
    const T *from, *plus;
    int64_t n;
    int add;
};

/* mdm_span<T> J::at(row, part), T being J::value; rows of pieces of LOADS times as many values as a row has threads.
 * Parts are other rows of the same number, blockIdx.y tells which. */
template <class J, int V>
static __global__ void __launch_bounds__(MDM_MOVE_BLOCK) mdm_move_rows(J j, int64_t rows, int64_t pieces)
{
    typedef typename J::value T;
    typedef mdm_values<T, V> values;

    for (int64_t unit = (int64_t)blockIdx.x * blockDim.y + threadIdx.y; unit < rows * pieces;
         unit += (int64_t)gridDim.x * blockDim.y) {
        const mdm_span<T> s = j.at(unit / pieces, (int)blockIdx.y);
        const int64_t first = unit % pieces * MDM_MOVE_LOADS * blockDim.x + threadIdx.x, n = s.n / V;
        values x[MDM_MOVE_LOADS];

        if (s.add && !s.from)
            continue;
#pragma unroll
        for (int i = 0; i < MDM_MOVE_LOADS; i++) {
            const int64_t at = first + i * blockDim.x;

            x[i] = s.from && at < n ? values::load(s.from, at) : values::zeros();
        }
#pragma unroll
        for (int i = 0; i < MDM_MOVE_LOADS; i++) {
            const int64_t at = first + i * blockDim.x;

            if (at < n && s.plus)
                x[i].add(values::load(s.plus, at));
            if (at < n && s.add)
                x[i].add(values::load(s.to, at));
            if (at < n)
                x[i].store(s.to, at);
        }
    }
}

/* `longest`: values of the longest row; packs: all rows begin and end at one. */
template <class J>
static int mdm_move(struct mdm_cuda *d, const char *what, const J &j, int64_t rows, int parts, int64_t longest,
                    int packs)
{
    const int wide = packs ? mdm_pack<typename J::value>::N : 1;
    const int64_t count = mdm_cuda_pieces(longest, wide);
    unsigned x = 1;

    while (x < MDM_WARP && x < count)
        x *= 2;
    if (rows == 0 || count == 0)
        return MASKDM_OK;
    const dim3 block(x, MDM_MOVE_BLOCK / x);
    const int64_t pieces = mdm_cuda_pieces(count, MDM_MOVE_LOADS * x);
    dim3 grid = mdm_cuda_grid(d, rows * pieces * x, MDM_MOVE_BLOCK);

    grid.y = (unsigned)parts;
    return packs ? mdm_cuda_launch(d, what, mdm_move_rows<J, mdm_pack<typename J::value>::N>, grid, block, 0, j, rows,
                                   pieces)
                 : mdm_cuda_launch(d, what, mdm_move_rows<J, 1>, grid, block, 0, j, rows, pieces);
}

/* The gradients that are wanted and not added to become zeros; bit i of `weights`: that of input i is float's. */
static inline int mdm_clear(struct mdm_cuda *d, const struct mdm_call *c, unsigned weights)
{
    return mdm_cuda_clear_gradients(d, c, 0, MDM_MAX_IN - 1, weights);
}

/* ---- rows that are summed ---- */

/* J::target *J::to(sum), NULL where there is no such sum; const J::value *J::row(sum, i), NULL where row i of n has
 * no part in it; J::add. Lane y of a block takes rows y, y + 8, .. of its columns, and lanes meet in their order. */
template <class J, int V>
static __global__ void __launch_bounds__(MDM_WARP *MDM_SUM_LANES) mdm_sum_some(J j, int64_t n, int64_t width)
{
    typedef typename J::value T;
    typedef mdm_values<T, V> values;
    __shared__ float part[MDM_SUM_LANES][MDM_WARP * V];
    const int64_t column = (int64_t)blockIdx.y * MDM_WARP + threadIdx.x;
    typename J::target *to = j.to(blockIdx.x);
    float sum[V] = {0.0f};

    if (!to)
        return;
    for (int64_t i = threadIdx.y; i < n && column < width / V; i += MDM_SUM_LANES * MDM_SUM_LOADS) {
        values x[MDM_SUM_LOADS];

#pragma unroll
        for (int k = 0; k < MDM_SUM_LOADS; k++) {
            const int64_t at = i + k * MDM_SUM_LANES;
            const T *row = at < n ? j.row(blockIdx.x, at) : NULL;

            x[k] = row ? values::load(row, column) : values::zeros();
        }
#pragma unroll
        for (int k = 0; k < MDM_SUM_LOADS; k++)
            x[k].add_to(sum);
    }
#pragma unroll
    for (int v = 0; v < V; v++)
        part[threadIdx.y][threadIdx.x * V + v] = sum[v];
    __syncthreads();
    for (int k = threadIdx.y * MDM_WARP + threadIdx.x; k < MDM_WARP * V; k += MDM_WARP * MDM_SUM_LANES) {
        const int64_t at = (int64_t)blockIdx.y * MDM_WARP * V + k;
        float total = 0.0f;

        for (int y = 0; y < MDM_SUM_LANES; y++)
            total += part[y][k];
        if (at < width)
            mdm_put(to + at, total, j.add);
    }
}

/* `sums` of them, each `width` values over some of n rows. */
template <class J>
static int mdm_sum(struct mdm_cuda *d, const char *what, const J &j, int64_t sums, int64_t n, int64_t width)
{
    enum { N = mdm_pack<typename J::value>::N };
    const int packs = width % N == 0;
    const dim3 block(MDM_WARP, MDM_SUM_LANES);
    const dim3 grid((unsigned)sums, (unsigned)mdm_cuda_pieces(width, MDM_WARP * (packs ? N : 1)));

    return packs ? mdm_cuda_launch(d, what, mdm_sum_some<J, N>, grid, block, 0, j, n, width)
                 : mdm_cuda_launch(d, what, mdm_sum_some<J, 1>, grid, block, 0, j, n, width);
}

#endif
