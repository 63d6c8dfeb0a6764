/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention of any head width and either type on the ordinary units. A block of 16 x 16 threads has a tile of 16 R
 * queries and as many keys; each thread R x R of its scores, and R rows of W/16 columns of what the block makes.
 * Heads wider than W are cut into pieces of W columns: every piece of a result has its own block, which goes through
 * all pieces for the scores.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_GENERAL_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_GENERAL_CUH

#include "backend/cuda/attention.cuh"
#include "backend/cuda/kernel.cuh"

#include <math.h>

enum { MDM_SIDE = 16, MDM_SIDE_BLOCK = MDM_SIDE * MDM_SIDE };

/* Sizes of a tile in shared memory; rows are 16 bytes apart modulo 128, so that neighbours lie in other banks. */
template <int W, int R> struct mdm_cut {
    enum {
        TILE = MDM_SIDE * R,
        COLUMNS = W / MDM_SIDE, /* of a thread */
        PITCH = W + 4,
        VALUES = TILE * PITCH,
        SCORE_PITCH = TILE + 4,
        SCORES = TILE * SCORE_PITCH
    };
};

struct mdm_place {
    int64_t head, tile, piece, pieces;
};

template <int W, int R> static __device__ __forceinline__ mdm_place mdm_find_place(const mdm_attention &a)
{
    const int64_t tiles = (a.n + mdm_cut<W, R>::TILE - 1) / mdm_cut<W, R>::TILE;
    mdm_place p;

    p.pieces = (a.width + W - 1) / W;
    p.tile = blockIdx.x % tiles;
    p.piece = blockIdx.x / tiles % p.pieces;
    p.head = blockIdx.x / tiles / p.pieces;
    return p;
}

/* Rows of a tile, `step` apart, as float; zeros where there are no more rows or columns. */
template <int W, int R, class T>
static __device__ __forceinline__ void mdm_load_tile(float *tile, const T *p, int64_t step, int64_t rows,
                                                     int64_t columns)
{
    typedef mdm_cut<W, R> C;
    enum { N = mdm_pack<T>::N };
    const int wide = columns % N == 0 && step % N == 0 && (uintptr_t)p % 16 == 0; /* or a head begins anywhere */

    for (int i = threadIdx.x; i < C::TILE * (W / N); i += MDM_SIDE_BLOCK) {
        const int row = i / (W / N), at = i % (W / N) * N;
        float x[N] = {};

        if (row < rows && wide && at < columns)
            mdm_load(x, p + row * step + at);
        else if (row < rows)
            for (int k = 0; k < N; k++)
                x[k] = at + k < columns ? mdm_float(p[row * step + at + k]) : 0.0f;
#pragma unroll
        for (int k = 0; k < N; k += 4)
            mdm_store(tile + row * C::PITCH + at + k, x + k);
    }
}

template <int N> static __device__ __forceinline__ void mdm_load_few(float *out, const float *p)
{
    if (N == 4)
        mdm_load(out, p);
    else
#pragma unroll
        for (int i = 0; i < N; i++)
            out[i] = p[i];
}

/* s += the products of this thread's rows of x and y: R neighbours, and every 16th. */
template <int W, int R>
static __device__ __forceinline__ void mdm_tile_dots(float s[R][R], const float *x, const float *y)
{
    const float *a = x + threadIdx.x / MDM_SIDE * R * mdm_cut<W, R>::PITCH,
                *b = y + threadIdx.x % MDM_SIDE * mdm_cut<W, R>::PITCH;

#pragma unroll 2
    for (int c = 0; c < W; c += 4) {
        float u[R][4], v[R][4];

#pragma unroll
        for (int i = 0; i < R; i++) {
            mdm_load(u[i], a + i * mdm_cut<W, R>::PITCH + c);
            mdm_load(v[i], b + i * MDM_SIDE * mdm_cut<W, R>::PITCH + c);
        }
#pragma unroll
        for (int i = 0; i < R; i++)
#pragma unroll
            for (int j = 0; j < R; j++)
#pragma unroll
                for (int k = 0; k < 4; k++)
                    s[i][j] = fmaf(u[i][k], v[j][k], s[i][j]);
    }
}

/* o += p v: R rows of p and neighbouring columns of v. */
template <int W, int R>
static __device__ __forceinline__ void mdm_rows_times(float o[R][W / MDM_SIDE], const float *p, const float *v)
{
    typedef mdm_cut<W, R> C;
    const float *a = p + threadIdx.x / MDM_SIDE * R * C::SCORE_PITCH, *b = v + threadIdx.x % MDM_SIDE * C::COLUMNS;

#pragma unroll 2
    for (int k = 0; k < C::TILE; k += 4) {
        float u[R][4];

#pragma unroll
        for (int i = 0; i < R; i++)
            mdm_load(u[i], a + i * C::SCORE_PITCH + k);
#pragma unroll
        for (int n = 0; n < 4; n++) {
            float x[C::COLUMNS];

            mdm_load_few<C::COLUMNS>(x, b + (k + n) * C::PITCH);
#pragma unroll
            for (int i = 0; i < R; i++)
#pragma unroll
                for (int c = 0; c < C::COLUMNS; c++)
                    o[i][c] = fmaf(u[i][n], x[c], o[i][c]);
        }
    }
}

/* o += p' v: R columns of p. */
template <int W, int R>
static __device__ __forceinline__ void mdm_columns_times(float o[R][W / MDM_SIDE], const float *p, const float *v)
{
    typedef mdm_cut<W, R> C;
    const float *a = p + threadIdx.x / MDM_SIDE * R, *b = v + threadIdx.x % MDM_SIDE * C::COLUMNS;

#pragma unroll 2
    for (int k = 0; k < C::TILE; k++) {
        float u[R], x[C::COLUMNS];

        mdm_load_few<R>(u, a + k * C::SCORE_PITCH);
        mdm_load_few<C::COLUMNS>(x, b + k * C::PITCH);
#pragma unroll
        for (int i = 0; i < R; i++)
#pragma unroll
            for (int c = 0; c < C::COLUMNS; c++)
                o[i][c] = fmaf(u[i], x[c], o[i][c]);
    }
}

/* This thread's part of a result of the tile whose first row is at p. */
template <int W, int R, class T>
static __device__ __forceinline__ void mdm_store_part(T *p, int64_t step, const float o[R][W / MDM_SIDE],
                                                      int64_t rows, int64_t columns, int add)
{
    const int row = threadIdx.x / MDM_SIDE * R, column = threadIdx.x % MDM_SIDE * (W / MDM_SIDE);

#pragma unroll
    for (int i = 0; i < R; i++)
#pragma unroll
        for (int c = 0; c < W / MDM_SIDE; c++)
            if (row + i < rows && column + c < columns)
                mdm_put(p + (row + i) * step + column + c, o[i][c], add);
}

template <int W, int R> static __device__ __forceinline__ void mdm_store_scores(float *p, const float s[R][R])
{
#pragma unroll
    for (int i = 0; i < R; i++)
#pragma unroll
        for (int j = 0; j < R; j++)
            p[(threadIdx.x / MDM_SIDE * R + i) * mdm_cut<W, R>::SCORE_PITCH + threadIdx.x % MDM_SIDE + MDM_SIDE * j] =
                s[i][j];
}

static __device__ __forceinline__ int64_t mdm_lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Scores are in powers of two. */
#define MDM_LOG2_E 1.4426950408889634
#define MDM_LN_2 0.6931471805599453

template <int W, int R> static dim3 mdm_find_grid(const mdm_attention *a)
{
    return dim3(
        (unsigned)(a->batch * a->heads * mdm_cuda_pieces(a->n, mdm_cut<W, R>::TILE) * mdm_cuda_pieces(a->width, W)));
}

/* Few tokens and narrow heads take smaller tiles, of which less is empty, and so does a device whose blocks have less
 * shared memory. What is done with the choice is `run` of a class of a type and a cut. */
template <template <class, int, int> class Do, class T>
static int mdm_attention_cut(struct mdm_cuda *d, const mdm_attention *a)
{
    if (a->n <= mdm_cut<32, 2>::TILE || (a->width > 32 && Do<T, 64, 4>::BYTES > d->most_shared))
        return a->width <= 32 ? Do<T, 32, 2>::run(d, a) : Do<T, 64, 2>::run(d, a);
    return a->width <= 32 ? Do<T, 32, 4>::run(d, a) : Do<T, 64, 4>::run(d, a);
}

template <template <class, int, int> class Do> static int mdm_attention_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY((Do<float, 32, 2>::allow(d)));
    MDM_CUDA_TRY((Do<float, 64, 2>::allow(d)));
    MDM_CUDA_TRY((Do<float, 32, 4>::allow(d)));
    MDM_CUDA_TRY((Do<float, 64, 4>::allow(d)));
    MDM_CUDA_TRY((Do<mdm_bf16, 32, 2>::allow(d)));
    MDM_CUDA_TRY((Do<mdm_bf16, 64, 2>::allow(d)));
    MDM_CUDA_TRY((Do<mdm_bf16, 32, 4>::allow(d)));
    return Do<mdm_bf16, 64, 4>::allow(d);
}

#endif
