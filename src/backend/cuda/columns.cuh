/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Blocks whose threads keep to columns: each has V of them, and of the block's part every so manieth row. V is a pack
 * where rows come in packs, and 1 elsewhere.
 */
#ifndef MASKDM_BACKEND_CUDA_COLUMNS_CUH
#define MASKDM_BACKEND_CUDA_COLUMNS_CUH

#include "backend/cuda/parts.cuh"

enum { MDM_COLUMNS_BLOCK = 256 };

template <class T, int V> struct alignas(V * sizeof(T)) mdm_few {
    T v[V];
};

struct mdm_columns {
    int64_t width;     /* of a row */
    int many, walkers; /* threads side by side, and rows at a time */
};

static inline struct mdm_columns mdm_columns_cut(int64_t width, int v)
{
    struct mdm_columns c = {width, MDM_WARP, 0};

    if (width / v < c.many)
        c.many = (int)(width / v);
    c.walkers = MDM_COLUMNS_BLOCK / c.many;
    return c;
}

/* Blocks: one for each part, and in y as many as it takes to cover a row. */
static inline dim3 mdm_columns_grid(const struct mdm_columns *c, int64_t parts, int v)
{
    return dim3((unsigned)parts, (unsigned)mdm_cuda_pieces(c->width, (int64_t)c->many * v));
}

/* The thread's first column, the row that it begins with, counted from the part's first, and whether it has work. */
struct mdm_seat {
    int64_t column;
    int walker, works;
};

template <int V> static __device__ __forceinline__ struct mdm_seat mdm_columns_seat(const struct mdm_columns &c)
{
    struct mdm_seat s;

    s.column = ((int64_t)blockIdx.y * c.many + threadIdx.x % c.many) * V;
    s.walker = threadIdx.x / c.many;
    s.works = s.walker < c.walkers && s.column < c.width;
    return s;
}

/* What the walkers of each of the block's columns have summed, in their order. Every thread comes; it is told the sum
 * of one column, whose number is put into *column, or -1 where there is none left for it. room: as many floats as
 * MDM_COLUMNS_BLOCK * V. */
template <int V>
static __device__ __forceinline__ float mdm_columns_meet(const float *sum, const struct mdm_columns &c, float *room,
                                                         int64_t *column)
{
    const int wide = c.many * V, walker = threadIdx.x / c.many, first = threadIdx.x % c.many * V;
    float all = 0.0f;

    __syncthreads();
    if (walker < c.walkers)
#pragma unroll
        for (int i = 0; i < V; i++)
            room[walker * wide + first + i] = sum[i];
    __syncthreads();
    *column = (int64_t)blockIdx.y * wide + threadIdx.x;
    if ((int)threadIdx.x >= wide || *column >= c.width)
        *column = -1;
    for (int w = 0; *column >= 0 && w < c.walkers; w++)
        all += room[w * wide + threadIdx.x];
    return all;
}

/* gate.cu and qkv_bias.cu, of the files whose operations those belong to */
int mdm_cuda_add_gate(struct mdm_cuda *d);
int mdm_cuda_add_qkv_bias(struct mdm_cuda *d);

#endif
