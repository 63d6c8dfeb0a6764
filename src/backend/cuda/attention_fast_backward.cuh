/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two passes of attention_fast backward, as a warp goes through them. With p = 2^(scale s - lse) and
 * ds = p (dp - delta), a warp that owns 16 M keys has
 *
 *     s' = k q'    dp' = v dy'    dv += p' dy    dk += ds' q    (by_keys)
 *
 * from tiles of queries, and one that owns 16 M queries, from tiles of keys,
 *
 *     s = q k'     dp = dy v'     dq += ds k                    (by_queries)
 *
 * so that every factor on the left comes from the warp's own registers. lse in powers of two, and delta, lie side by
 * side in struct mdm_attention's `pair`; behind the last query there are pairs whose weights are 0.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_FAST_BACKWARD_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_FAST_BACKWARD_CUH

#include "backend/cuda/attention_fast.cuh"

/* A tile that is gone through: rows of queries and of dy, or of keys and of values. */
struct mdm_stage {
    mdm_bf16 *first, *second;
    float2 *pair; /* of queries */
};

template <int W, int M> struct mdm_by_keys {
    enum { QUERIES = 0 };
    unsigned k[M][W / 16][4], v[M][W / 16][4];
    float dk[M][W / 8][4], dv[M][W / 8][4];

    __device__ __forceinline__ void begin(const mdm_stage &own, int row)
    {
#pragma unroll
        for (int i = 0; i < M * (W / 16); i++) {
            mdm_left<W>(k[i / (W / 16)][i % (W / 16)], own.first, row + MDM_ROWS * (i / (W / 16)), i % (W / 16));
            mdm_left<W>(v[i / (W / 16)][i % (W / 16)], own.second, row + MDM_ROWS * (i / (W / 16)), i % (W / 16));
        }
#pragma unroll
        for (int m = 0; m < M; m++)
#pragma unroll
            for (int n = 0; n < W / 8 * 4; n++)
                dk[m][n / 4][n % 4] = dv[m][n / 4][n % 4] = 0;
    }

    /* Of 16 G queries, which need not all be there. */
    template <int G, int ALL>
    __device__ __forceinline__ void take(const mdm_stage &t, int row, int /* there */, float scale)
    {
        const int column = threadIdx.x % 4 * 2;
        float s[M][2 * G][4] = {}, ds[M][2 * G][4] = {};
        unsigned p[M][G][4], dp[M][G][4];

        mdm_dots<W, M, G>(s, k, t.first, row);
        mdm_dots<W, M, G>(ds, v, t.second, row);
#pragma unroll
        for (int n = 0; n < 2 * G; n++) {
            const float4 pair = *(const float4 *)(t.pair + row + 8 * n + column);

#pragma unroll
            for (int m = 0; m < M; m++)
#pragma unroll
                for (int c = 0; c < 4; c++) {
                    s[m][n][c] = mdm_exp2(fmaf(s[m][n][c], scale, c % 2 ? -pair.z : -pair.x));
                    ds[m][n][c] = s[m][n][c] * (ds[m][n][c] - (c % 2 ? pair.w : pair.y));
                }
        }
        mdm_pairs<M, G>(p, s);
        mdm_pairs<M, G>(dp, ds);
        mdm_sums<W, M, G>(dv, p, t.second, row);
        mdm_sums<W, M, G>(dk, dp, t.first, row);
    }

    __device__ __forceinline__ void finish(const mdm_attention &a, const mdm_attention_head<mdm_bf16> &h, int first,
                                           mdm_bf16 *room, float scale)
    {
        const int width = (int)a.width;

#pragma unroll
        for (int m = 0; m < M; m++) {
            const int64_t at = first + MDM_ROWS * m, there = a.n - at;

            mdm_store_rows<W>(h.dk + at * h.step, h.step, there, width, room, dk[m], scale, scale, a.add);
            mdm_store_rows<W>(h.dv + at * h.step, h.step, there, width, room, dv[m], 1, 1, a.add);
        }
    }
};

template <int W, int M> struct mdm_by_queries {
    enum { QUERIES = 1 };
    unsigned q[M][W / 16][4], dy[M][W / 16][4];
    float dq[M][W / 8][4];
    float2 pair[M][2]; /* of rows g and g+8 */

    __device__ __forceinline__ void begin(const mdm_stage &own, int row)
    {
#pragma unroll
        for (int i = 0; i < M * (W / 16); i++) {
            mdm_left<W>(q[i / (W / 16)][i % (W / 16)], own.first, row + MDM_ROWS * (i / (W / 16)), i % (W / 16));
            mdm_left<W>(dy[i / (W / 16)][i % (W / 16)], own.second, row + MDM_ROWS * (i / (W / 16)), i % (W / 16));
        }
#pragma unroll
        for (int m = 0; m < M; m++) {
            pair[m][0] = own.pair[row + MDM_ROWS * m + threadIdx.x % MDM_WARP / 4];
            pair[m][1] = own.pair[row + MDM_ROWS * m + threadIdx.x % MDM_WARP / 4 + 8];
#pragma unroll
            for (int n = 0; n < W / 8 * 4; n++)
                dq[m][n / 4][n % 4] = 0;
        }
    }

    /* Of 16 G keys, of which `there` are. */
    template <int G, int ALL>
    __device__ __forceinline__ void take(const mdm_stage &t, int row, int there, float scale)
    {
        const int column = threadIdx.x % 4 * 2;
        float s[M][2 * G][4] = {}, ds[M][2 * G][4] = {};
        unsigned p[M][G][4];

        mdm_dots<W, M, G>(s, q, t.first, row);
        mdm_dots<W, M, G>(ds, dy, t.second, row);
#pragma unroll
        for (int m = 0; m < M; m++)
#pragma unroll
            for (int n = 0; n < 2 * G; n++)
#pragma unroll
                for (int c = 0; c < 4; c++) {
                    const float weight = mdm_exp2(fmaf(s[m][n][c], scale, -pair[m][c / 2].x));

                    ds[m][n][c] =
                        ALL || 8 * n + column + c % 2 < there ? weight * (ds[m][n][c] - pair[m][c / 2].y) : 0.0f;
                }
        mdm_pairs<M, G>(p, ds);
        mdm_sums<W, M, G>(dq, p, t.first, row);
    }

    __device__ __forceinline__ void finish(const mdm_attention &a, const mdm_attention_head<mdm_bf16> &h, int first,
                                           mdm_bf16 *room, float scale)
    {
#pragma unroll
        for (int m = 0; m < M; m++) {
            const int64_t at = first + MDM_ROWS * m;

            mdm_store_rows<W>(h.dq + at * h.step, h.step, a.n - at, (int)a.width, room, dq[m], scale, scale, a.add);
        }
    }
};

/* All that is `there` of a tile. */
template <class P>
static __device__ __forceinline__ void mdm_go_through(P &pass, const mdm_stage &t, int there, float scale)
{
    int row = 0;

#pragma unroll 1
    for (; there - row >= 2 * MDM_ROWS; row += 2 * MDM_ROWS)
        pass.template take<2, 1>(t, row, there - row, scale);
#pragma unroll 1
    for (; row < there; row += MDM_ROWS)
        pass.template take<1, 0>(t, row, there - row, scale);
}

#endif
