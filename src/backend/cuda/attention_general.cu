/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_general forward.
 */
#include "backend/cuda/attention_general.cuh"

/* Of the 16 threads that have the same rows. */
static __device__ __forceinline__ float side_max(float x)
{
#pragma unroll
    for (int i = MDM_SIDE / 2; i > 0; i /= 2)
        x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, i));
    return x;
}

static __device__ __forceinline__ float side_sum(float x)
{
#pragma unroll
    for (int i = MDM_SIDE / 2; i > 0; i /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, i);
    return x;
}

/* The running softmax of Milakov and Gimelshein (2018), in powers of two: s becomes weights relative to the largest
 * score so far, which o and total follow. */
template <int W, int R>
static __device__ __forceinline__ void soften(float s[R][R], float o[R][W / MDM_SIDE], float *top, float *total,
                                              float scale, int64_t keys)
{
#pragma unroll
    for (int i = 0; i < R; i++) {
        float most = top[i], sum = 0, shrink;

#pragma unroll
        for (int j = 0; j < R; j++) {
            s[i][j] = threadIdx.x % MDM_SIDE + MDM_SIDE * j < keys ? s[i][j] * scale : -INFINITY;
            most = fmaxf(most, s[i][j]);
        }
        most = side_max(most);
        shrink = exp2f(top[i] - most);
        top[i] = most;
#pragma unroll
        for (int j = 0; j < R; j++) {
            s[i][j] = exp2f(s[i][j] - most);
            sum += s[i][j];
        }
        total[i] = fmaf(total[i], shrink, side_sum(sum));
#pragma unroll
        for (int c = 0; c < W / MDM_SIDE; c++)
            o[i][c] *= shrink;
    }
}

template <class T, int W, int R>
static __global__ void __launch_bounds__(MDM_SIDE_BLOCK, 2) forward(mdm_attention a, float scale)
{
    typedef mdm_cut<W, R> C;
    MDM_CUDA_SHARED(float, q);
    float *k = q + C::VALUES, *v = k + C::VALUES, *p = v + C::VALUES;
    const mdm_place at = mdm_find_place<W, R>(a);
    const mdm_attention_head<T> h = mdm_attention_find<T>(a, at.head);
    const int64_t first = at.tile * C::TILE, rows = mdm_lesser(C::TILE, a.n - first), column = at.piece * W;
    float o[R][C::COLUMNS] = {}, top[R], total[R] = {};

    for (int i = 0; i < R; i++)
        top[i] = -INFINITY;
    for (int64_t t = 0; t < a.n; t += C::TILE) {
        const int64_t keys = mdm_lesser(C::TILE, a.n - t);
        float s[R][R] = {};

        for (int64_t c = 0; c < a.width; c += W) {
            __syncthreads(); /* the last round's readers */
            if (t == 0 || at.pieces > 1)
                mdm_load_tile<W, R>(q, h.q + first * h.step + c, h.step, rows, mdm_lesser(W, a.width - c));
            mdm_load_tile<W, R>(k, h.k + t * h.step + c, h.step, keys, mdm_lesser(W, a.width - c));
            if (c == 0)
                mdm_load_tile<W, R>(v, h.v + t * h.step + column, h.step, keys, mdm_lesser(W, a.width - column));
            __syncthreads();
            mdm_tile_dots<W, R>(s, q, k);
        }
        soften<W, R>(s, o, top, total, scale, keys);
        mdm_store_scores<W, R>(p, s);
        __syncthreads();
        mdm_rows_times<W, R>(o, p, v);
    }
    for (int i = 0; i < R; i++) {
        const int row = threadIdx.x / MDM_SIDE * R + i;

        for (int c = 0; c < C::COLUMNS; c++)
            o[i][c] /= total[i];
        if (a.lse && at.piece == 0 && threadIdx.x % MDM_SIDE == 0 && row < rows)
            h.lse[first + row] = (top[i] + log2f(total[i])) * (float)MDM_LN_2;
    }
    if (a.y)
        mdm_store_part<W, R>(h.y + first * h.row_step + column, h.row_step, o, rows, mdm_lesser(W, a.width - column),
                             0);
}

template <class T, int W, int R> struct launch {
    enum { BYTES = (3 * mdm_cut<W, R>::VALUES + mdm_cut<W, R>::SCORES) * sizeof(float) };

    static int run(struct mdm_cuda *d, const mdm_attention *a)
    {
        return mdm_cuda_launch(d, "attention", forward<T, W, R>, mdm_find_grid<W, R>(a), MDM_SIDE_BLOCK, BYTES, *a,
                               (float)(MDM_LOG2_E / sqrt((double)a->width)));
    }

    static int allow(struct mdm_cuda *d)
    {
        return mdm_cuda_allow_shared(d, "attention", forward<T, W, R>, BYTES);
    }
};

int mdm_attention_general_allow(struct mdm_cuda *d)
{
    return mdm_attention_allow<launch>(d);
}

int mdm_attention_general_forward(struct mdm_cuda *d, const mdm_attention *a, enum mdm_dtype type)
{
    return type == MDM_BF16 ? mdm_attention_cut<launch, mdm_bf16>(d, a) : mdm_attention_cut<launch, float>(d, a);
}
