/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two passes of attention_group backward, as a warpgroup goes through them with a unit of 64 keys or queries:
 * those of attention_fast_backward.cuh, with products of warpgroups. What one batch of products takes is made while
 * another runs.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_GROUP_BACKWARD_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_GROUP_BACKWARD_CUH

#include "backend/cuda/attention_fast_backward.cuh"
#include "backend/cuda/attention_group.cuh"

#if MDM_HAS_GROUPS

/* Begins o += p times N rows of a tile. */
template <int N>
static __device__ __forceinline__ void mdm_group_add(float (&o)[8][4], const unsigned p[N / 16][4],
                                                     const mdm_bf16 *tile)
{
    mdm_group_hold(o);
    mdm_group_begin();
#    pragma unroll
    for (int i = 0; i < N / 16; i++)
        mdm_group_sums(o, p[i], tile + 16 * 64 * i);
    mdm_group_close();
}

/* X: mdm_group_factor, or where registers are short a pointer. */
template <class X> struct mdm_group_keys {
    enum { QUERIES = 0 };
    X k, v;
    float dk[8][4], dv[8][4];

    __device__ __forceinline__ void begin(const mdm_stage &own, int row)
    {
        mdm_group_load(k, own.first, row);
        mdm_group_load(v, own.second, row);
#    pragma unroll
        for (int i = 0; i < 32; i++)
            dk[i / 4][i % 4] = dv[i / 4][i % 4] = 0;
    }

    /* N queries, which need not all be there. */
    template <int N>
    __device__ __forceinline__ void take(const mdm_bf16 *q, const mdm_bf16 *dy, const float2 *pair, int /* there */,
                                         float scale)
    {
        float s[1][N / 8][4], ds[1][N / 8][4];
        unsigned p[1][N / 16][4], dp[1][N / 16][4];

        pair += threadIdx.x % 4 * 2;
        mdm_group_begin();
        mdm_group_scores<N>(s[0], k, q);
        mdm_group_scores<N>(ds[0], v, dy);
        mdm_group_wait<1>();
        mdm_group_hold(s[0]);
#    pragma unroll
        for (int n = 0; n < N / 8; n++) {
            const float4 two = *(const float4 *)(pair + 8 * n);

#    pragma unroll
            for (int c = 0; c < 4; c++)
                s[0][n][c] = mdm_exp2(fmaf(s[0][n][c], scale, c % 2 ? -two.z : -two.x));
        }
        mdm_pairs<1, N / 16>(p, s);
        mdm_group_add<N>(dv, p[0], dy);
        mdm_group_wait<1>();
        mdm_group_hold(ds[0]);
#    pragma unroll
        for (int n = 0; n < N / 8; n++) {
            const float4 two = *(const float4 *)(pair + 8 * n);

#    pragma unroll
            for (int c = 0; c < 4; c++)
                ds[0][n][c] =
                    mdm_unpair(p[0][n / 2][n % 2 * 2 + c / 2], c % 2) * (ds[0][n][c] - (c % 2 ? two.w : two.y));
        }
        mdm_pairs<1, N / 16>(dp, ds);
        mdm_group_add<N>(dk, dp[0], q);
        mdm_group_wait<0>();
        mdm_group_hold(dv);
        mdm_group_hold(dk);
    }

    __device__ __forceinline__ void finish(const mdm_attention &a, const mdm_attention_head<mdm_bf16> &h, int at,
                                           mdm_bf16 *room, float scale)
    {
        mdm_store_rows<64>(h.dk + at * h.step, h.step, a.n - at, (int)a.width, room, dk, scale, scale, a.add);
        mdm_store_rows<64>(h.dv + at * h.step, h.step, a.n - at, (int)a.width, room, dv, 1, 1, a.add);
    }
};

struct mdm_group_queries {
    enum { QUERIES = 1 };
    mdm_group_factor q, dy;
    float dq[8][4];
    float2 pair[2]; /* of rows g and g+8 */

    __device__ __forceinline__ void begin(const mdm_stage &own, int row)
    {
        mdm_group_load(q, own.first, row);
        mdm_group_load(dy, own.second, row);
        pair[0] = own.pair[row + threadIdx.x % MDM_WARP / 4];
        pair[1] = own.pair[row + threadIdx.x % MDM_WARP / 4 + 8];
#    pragma unroll
        for (int i = 0; i < 32; i++)
            dq[i / 4][i % 4] = 0;
    }

    /* N keys, of which `there` are. */
    template <int N>
    __device__ __forceinline__ void take(const mdm_bf16 *k, const mdm_bf16 *v, const float2 *, int there, float scale)
    {
        const int column = threadIdx.x % 4 * 2;
        float s[N / 8][4], ds[1][N / 8][4];
        unsigned p[1][N / 16][4];

        mdm_group_begin();
        mdm_group_scores<N>(s, q, k);
        mdm_group_scores<N>(ds[0], dy, v);
        mdm_group_wait<1>();
        mdm_group_hold(s);
#    pragma unroll
        for (int n = 0; n < N / 8; n++)
#    pragma unroll
            for (int c = 0; c < 4; c++)
                s[n][c] = N == MDM_TILE || 8 * n + column + c % 2 < there
                              ? mdm_exp2(fmaf(s[n][c], scale, -pair[c / 2].x))
                              : 0.0f;
        mdm_group_wait<0>();
        mdm_group_hold(ds[0]);
#    pragma unroll
        for (int n = 0; n < N / 8; n++)
#    pragma unroll
            for (int c = 0; c < 4; c++)
                ds[0][n][c] = s[n][c] * (ds[0][n][c] - pair[c / 2].y);
        mdm_pairs<1, N / 16>(p, ds);
        mdm_group_add<N>(dq, p[0], k);
        mdm_group_wait<0>();
        mdm_group_hold(dq);
    }

    __device__ __forceinline__ void finish(const mdm_attention &a, const mdm_attention_head<mdm_bf16> &h, int at,
                                           mdm_bf16 *room, float scale)
    {
        mdm_store_rows<64>(h.dq + at * h.step, h.step, a.n - at, (int)a.width, room, dq, scale, scale, a.add);
    }
};

/* All that is `there` of a stage. While it is still `arriving`, the block waits for each of its MDM_ARRIVALS batches
 * of copies before the tile that the batch ends with. */
enum { MDM_ARRIVALS = 4 };

static __device__ __forceinline__ void mdm_group_await(int batch)
{
    if (batch == 0)
        mdm_copy_wait<MDM_ARRIVALS - 1>();
    else if (batch == 1)
        mdm_copy_wait<MDM_ARRIVALS - 2>();
    else if (batch == 2)
        mdm_copy_wait<MDM_ARRIVALS - 3>();
    else
        mdm_copy_wait<0>();
    mdm_group_publish();
    __syncthreads();
}

template <class P>
static __device__ __forceinline__ void mdm_group_go_through(P &pass, const mdm_stage &t, int there, float scale,
                                                            int arriving)
{
    int row = 0, batch = arriving ? 0 : (int)MDM_ARRIVALS;

#    pragma unroll 1
    for (; there - row >= MDM_TILE; row += MDM_TILE) {
        if (batch < MDM_ARRIVALS)
            mdm_group_await(batch++);
        pass.template take<MDM_TILE>(t.first + row * 64, t.second + row * 64, t.pair + row, there - row, scale);
    }
    while (batch < MDM_ARRIVALS)
        mdm_group_await(batch++);
#    pragma unroll 1
    for (; row < there; row += MDM_ROWS)
        pass.template take<MDM_ROWS>(t.first + row * 64, t.second + row * 64, t.pair + row, there - row, scale);
}

/* A warp's share of one of the rest's gradients: its rows, one after the other. */
static __device__ __forceinline__ void mdm_put_share(float *share, const float o[8][4], int rows)
{
    const int row = threadIdx.x % MDM_WARP / 4, column = threadIdx.x % 4 * 2;

#    pragma unroll
    for (int i = 0; i < 32; i++)
        if (row + i % 4 / 2 * 8 < rows)
            share[(row + i % 4 / 2 * 8) * 64 + i / 4 * 8 + column + i % 2] = o[i / 4][i % 4];
}

/* What `shares` warps have of it, `step` apart, in order. */
static __device__ __forceinline__ void mdm_meet_shares(mdm_bf16 *p, int64_t row_step, const float *share, int step,
                                                       int shares, int rows, int width, float scale, int add)
{
    for (int i = threadIdx.x; i < rows * 64; i += blockDim.x) {
        float sum = 0;

        for (int k = 0; k < shares; k++)
            sum += share[k * step + i];
        if (i % 64 < width)
            mdm_put(p + i / 64 * row_step + i % 64, sum * scale, add);
    }
}

#endif
#endif
