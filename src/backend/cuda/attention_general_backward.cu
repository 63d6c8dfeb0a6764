/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_general backward.
 */
#include "backend/cuda/attention_general.cuh"

/* What both passes of backward are made of: tiles of one piece, and weights and gradients of scores. */
template <int W, int R> struct room {
    float *q, *k, *v, *dy, *p, *ds;
};

template <int W, int R> static __device__ __forceinline__ room<W, R> divide(float *shared)
{
    typedef mdm_cut<W, R> C;
    room<W, R> r;

    r.q = shared;
    r.k = r.q + C::VALUES;
    r.v = r.k + C::VALUES;
    r.dy = r.v + C::VALUES;
    r.p = r.dy + C::VALUES;
    r.ds = r.p + C::SCORES;
    return r;
}

/* Weights and gradients of scores of the queries from `query` on and the keys from `key` on, into shared memory. The
 * block's own piece is the last one that is loaded, and stays. With one piece alone, what does not change from tile
 * to tile is loaded but once: with `which` 1 the queries' rows are new, with 2 the keys', with 3 both. */
template <int W, int R, class T>
static __device__ __forceinline__ void weigh(const room<W, R> &r, const mdm_attention &a,
                                             const mdm_attention_head<T> &h, const mdm_place &at, int64_t query,
                                             int64_t key, float scale, int which)
{
    typedef mdm_cut<W, R> C;
    const int64_t rows = mdm_lesser(C::TILE, a.n - query), keys = mdm_lesser(C::TILE, a.n - key);
    float s[R][R] = {}, ds[R][R] = {};

    for (int64_t n = 1; n <= at.pieces; n++) {
        const int64_t c = (at.piece + n) % at.pieces * W, columns = mdm_lesser(W, a.width - c);

        __syncthreads();
        if (which & 1 || at.pieces > 1) {
            mdm_load_tile<W, R>(r.q, h.q + query * h.step + c, h.step, rows, columns);
            mdm_load_tile<W, R>(r.dy, h.dy + query * h.row_step + c, h.row_step, rows, columns);
        }
        if (which & 2 || at.pieces > 1) {
            mdm_load_tile<W, R>(r.k, h.k + key * h.step + c, h.step, keys, columns);
            mdm_load_tile<W, R>(r.v, h.v + key * h.step + c, h.step, keys, columns);
        }
        __syncthreads();
        mdm_tile_dots<W, R>(s, r.q, r.k);
        mdm_tile_dots<W, R>(ds, r.dy, r.v);
    }
#pragma unroll
    for (int i = 0; i < R; i++) {
        const int row = threadIdx.x / MDM_SIDE * R + i;
        const float lse = row < rows ? h.lse[query + row] * (float)MDM_LOG2_E : 0.0f;
        const float delta = row < rows ? h.delta[query + row] : 0.0f;

#pragma unroll
        for (int j = 0; j < R; j++) {
            const int there = row < rows && threadIdx.x % MDM_SIDE + MDM_SIDE * j < keys;

            s[i][j] = there ? exp2f(fmaf(s[i][j], scale * (float)MDM_LOG2_E, -lse)) : 0.0f;
            ds[i][j] = s[i][j] * (ds[i][j] - delta) * scale;
        }
    }
    mdm_store_scores<W, R>(r.p, s);
    mdm_store_scores<W, R>(r.ds, ds);
    __syncthreads();
}

template <class T, int W, int R>
static __global__ void __launch_bounds__(MDM_SIDE_BLOCK, 2) backward_keys(mdm_attention a, float scale)
{
    typedef mdm_cut<W, R> C;
    MDM_CUDA_SHARED(float, shared);
    const room<W, R> r = divide<W, R>(shared);
    const mdm_place at = mdm_find_place<W, R>(a);
    const mdm_attention_head<T> h = mdm_attention_find<T>(a, at.head);
    const int64_t first = at.tile * C::TILE, keys = mdm_lesser(C::TILE, a.n - first), column = at.piece * W;
    float dk[R][C::COLUMNS] = {}, dv[R][C::COLUMNS] = {};

    for (int64_t t = 0; t < a.n; t += C::TILE) {
        weigh(r, a, h, at, t, first, scale, t ? 1 : 3);
        mdm_columns_times<W, R>(dv, r.p, r.dy);
        mdm_columns_times<W, R>(dk, r.ds, r.q);
    }
    mdm_store_part<W, R>(h.dk + first * h.step + column, h.step, dk, keys, mdm_lesser(W, a.width - column), a.add);
    mdm_store_part<W, R>(h.dv + first * h.step + column, h.step, dv, keys, mdm_lesser(W, a.width - column), a.add);
}

template <class T, int W, int R>
static __global__ void __launch_bounds__(MDM_SIDE_BLOCK, 2) backward_queries(mdm_attention a, float scale)
{
    typedef mdm_cut<W, R> C;
    MDM_CUDA_SHARED(float, shared);
    const room<W, R> r = divide<W, R>(shared);
    const mdm_place at = mdm_find_place<W, R>(a);
    const mdm_attention_head<T> h = mdm_attention_find<T>(a, at.head);
    const int64_t first = at.tile * C::TILE, rows = mdm_lesser(C::TILE, a.n - first), column = at.piece * W;
    float dq[R][C::COLUMNS] = {};

    for (int64_t t = 0; t < a.n; t += C::TILE) {
        weigh(r, a, h, at, first, t, scale, t ? 2 : 3);
        mdm_rows_times<W, R>(dq, r.ds, r.k);
    }
    mdm_store_part<W, R>(h.dq + first * h.step + column, h.step, dq, rows, mdm_lesser(W, a.width - column), a.add);
}

template <class T, int W, int R> struct launch {
    enum { BYTES = (4 * mdm_cut<W, R>::VALUES + 2 * mdm_cut<W, R>::SCORES) * sizeof(float) };

    static int run(struct mdm_cuda *d, const mdm_attention *a)
    {
        const float scale = (float)(1 / sqrt((double)a->width));
        const dim3 grid = mdm_find_grid<W, R>(a);

        MDM_CUDA_TRY(mdm_cuda_launch(d, "attention", backward_keys<T, W, R>, grid, MDM_SIDE_BLOCK, BYTES, *a, scale));
        return mdm_cuda_launch(d, "attention", backward_queries<T, W, R>, grid, MDM_SIDE_BLOCK, BYTES, *a, scale);
    }

    static int allow(struct mdm_cuda *d)
    {
        MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", backward_keys<T, W, R>, BYTES));
        return mdm_cuda_allow_shared(d, "attention", backward_queries<T, W, R>, BYTES);
    }
};

int mdm_attention_general_backward_allow(struct mdm_cuda *d)
{
    return mdm_attention_allow<launch>(d);
}

int mdm_attention_general_backward(struct mdm_cuda *d, const mdm_attention *a, enum mdm_dtype type)
{
    return type == MDM_BF16 ? mdm_attention_cut<launch, mdm_bf16>(d, a) : mdm_attention_cut<launch, float>(d, a);
}
