/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two passes of attention_group backward through whole tiles of a ring. A unit's products are in flight at all
 * times: while its warps take exponentials, the last tile's gradients and the second factor of the present one are
 * being multiplied, and while they make the scores' gradients, the next tile's scores are. Products end in the order
 * in which they began, so what is waited for is told by how many batches follow it.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_GROUP_TILES_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_GROUP_TILES_CUH

#include "backend/cuda/attention_group_ring.cuh"

#if MDM_HAS_GROUPS

/* Weights of a tile's scores: as left factors, which is all that is needed of them, */
static __device__ __forceinline__ void mdm_group_weigh(mdm_group_keys<mdm_group_factor> &, unsigned (&p)[1][4][4],
                                                       float (&s)[8][4], const mdm_stage &t, float scale)
{
    const float *const lse = (const float *)t.pair + threadIdx.x % 4 * 2;
    float w[1][8][4];

#    pragma unroll
    for (int n = 0; n < 8; n++) {
        const float2 two = *(const float2 *)(lse + 8 * n);

#    pragma unroll
        for (int c = 0; c < 4; c++)
            w[0][n][c] = mdm_exp2(fmaf(s[n][c], scale, c % 2 ? -two.y : -two.x));
    }
    mdm_pairs<1, 4>(p, w);
}

/* or as they are. */
static __device__ __forceinline__ void mdm_group_weigh(mdm_group_queries &u, float (&w)[8][4], float (&s)[8][4],
                                                       const mdm_stage &, float scale)
{
#    pragma unroll
    for (int i = 0; i < 32; i++)
        w[i / 4][i % 4] = mdm_exp2(fmaf(s[i / 4][i % 4], scale, -u.pair[i % 4 / 2].x));
}

/* The tile `t` with its weights p. NEXT: there is another tile, which t and p become. */
template <int NEXT>
static __device__ __forceinline__ void mdm_group_step(mdm_group_keys<mdm_group_factor> &u, mdm_ring_reader &from,
                                                      mdm_stage &t, unsigned (&p)[1][4][4], int first, float scale)
{
    const float *const delta = (const float *)t.pair + MDM_TILE + threadIdx.x % 4 * 2;
    const mdm_bf16 *const q = t.first;
    float s[8][4], ds[1][8][4];
    unsigned dp[1][4][4];

    mdm_group_begin();
    mdm_group_scores<MDM_TILE>(ds[0], u.v, t.second);
    mdm_group_add<MDM_TILE>(u.dv, p[0], t.second);
    if (NEXT) {
        t = from.take();
        mdm_group_begin();
        mdm_group_scores<MDM_TILE>(s, u.k, t.first);
    }
    mdm_group_wait<NEXT ? 2 : 1>();
    mdm_group_hold(ds[0]);
    if (!first)
        from.release();
#    pragma unroll
    for (int n = 0; n < 8; n++) {
        const float2 two = *(const float2 *)(delta + 8 * n);

#    pragma unroll
        for (int c = 0; c < 4; c++)
            ds[0][n][c] = mdm_unpair(p[0][n / 2][n % 2 * 2 + c / 2], c % 2) * (ds[0][n][c] - (c % 2 ? two.y : two.x));
    }
    mdm_pairs<1, 4>(dp, ds);
    mdm_group_add<MDM_TILE>(u.dk, dp[0], q);
    if (NEXT) {
        mdm_group_wait<1>();
        mdm_group_hold(s);
        mdm_group_weigh(u, p, s, t, scale);
    }
}

template <int NEXT>
static __device__ __forceinline__ void mdm_group_step(mdm_group_queries &u, mdm_ring_reader &from, mdm_stage &t,
                                                      float (&w)[8][4], int first, float scale)
{
    const mdm_bf16 *const k = t.first;
    float s[8][4], ds[1][8][4];
    unsigned dp[1][4][4];

    mdm_group_begin();
    mdm_group_scores<MDM_TILE>(ds[0], u.dy, t.second);
    if (NEXT) {
        t = from.take();
        mdm_group_begin();
        mdm_group_scores<MDM_TILE>(s, u.q, t.first);
    }
    mdm_group_wait<NEXT>();
    mdm_group_hold(ds[0]);
    if (!first)
        from.release();
#    pragma unroll
    for (int i = 0; i < 32; i++)
        ds[0][i / 4][i % 4] = w[i / 4][i % 4] * (ds[0][i / 4][i % 4] - u.pair[i % 4 / 2].y);
    mdm_pairs<1, 4>(dp, ds);
    mdm_group_add<MDM_TILE>(u.dq, dp[0], k);
    if (NEXT) {
        mdm_group_wait<1>();
        mdm_group_hold(s);
        mdm_group_weigh(u, w, s, t, scale);
    }
}

static __device__ __forceinline__ void mdm_group_end(mdm_group_keys<mdm_group_factor> &u)
{
    mdm_group_wait<0>();
    mdm_group_hold(u.dv);
    mdm_group_hold(u.dk);
}

static __device__ __forceinline__ void mdm_group_end(mdm_group_queries &u)
{
    mdm_group_wait<0>();
    mdm_group_hold(u.dq);
}

/* All of the next `tiles`, one or more; x is the unit's left factor of scores, and the weights are a W. */
template <class W, class P>
static __device__ __forceinline__ void mdm_group_stream(P &u, const mdm_group_factor &x, mdm_ring_reader &from,
                                                        int tiles, float scale)
{
    mdm_stage t = from.take();
    float s[8][4];
    W w;

    mdm_group_begin();
    mdm_group_scores<MDM_TILE>(s, x, t.first);
    mdm_group_wait<0>();
    mdm_group_hold(s);
    mdm_group_weigh(u, w, s, t, scale);
#    pragma unroll 1
    for (int i = 0; i < tiles - 1; i++)
        mdm_group_step<1>(u, from, t, w, i == 0, scale);
    mdm_group_step<0>(u, from, t, w, tiles == 1, scale);
    mdm_group_end(u);
    from.release();
}

#endif
#endif
