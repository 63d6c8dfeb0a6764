/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention of bf16 by warpgroups (group.cuh): heads of 33 to 64 columns and more than MDM_GROUP_LEAST tokens. Units
 * are a warpgroup's 64 rows. What is left behind the last whole unit is a unit too where it is more than 16 rows;
 * otherwise, as with the one token beside 256 places, its 16 rows are a block's or a warpgroup's, whose warps cut
 * what they go through among them and put together what they have.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_GROUP_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_GROUP_CUH

#include "backend/cuda/group.cuh"

enum { MDM_GROUP_LEAST = 128 };

struct mdm_units {
    int whole, rest; /* units; rows behind them, 16 at most */
};

static __host__ __device__ __forceinline__ mdm_units mdm_find_units(int64_t n)
{
    const int rest = (int)(n % MDM_GROUP_ROWS), whole = (int)(n / MDM_GROUP_ROWS);
    mdm_units u;

    u.whole = whole + (rest > MDM_ROWS);
    u.rest = rest > MDM_ROWS ? 0 : rest;
    return u;
}

/* The first multiple of 1024 bytes, for which MDM_GROUP_ALIGN bytes more have to be there. */
static __device__ __forceinline__ mdm_bf16 *mdm_group_align(mdm_bf16 *p)
{
#ifdef MDM_CUDA_EMULATED
    return p;
#else
    const unsigned at = (unsigned)__cvta_generic_to_shared(p);

    return p + (MDM_GROUP_ALIGN - at % MDM_GROUP_ALIGN) % MDM_GROUP_ALIGN / sizeof(mdm_bf16);
#endif
}

#if MDM_HAS_GROUPS

/* 64 columns of 64 rows, as left factors. */
typedef unsigned mdm_group_factor[4][4];

static __device__ __forceinline__ void mdm_group_load(mdm_group_factor &x, const mdm_bf16 *tile, int row)
{
#    pragma unroll
    for (int i = 0; i < 4; i++)
        mdm_left<64>(x[i], tile, row, i);
}

/* They stay where they are. */
static __device__ __forceinline__ void mdm_group_load(const mdm_bf16 *&x, const mdm_bf16 *tile, int row)
{
    x = tile + row / MDM_GROUP_ROWS * MDM_GROUP_ROWS * 64;
}

static __device__ __forceinline__ const unsigned *mdm_group_part(const mdm_group_factor &x, int i)
{
    return x[i];
}

static __device__ __forceinline__ const mdm_bf16 *mdm_group_part(const mdm_bf16 *x, int)
{
    return x;
}

/* Begins s = x times N rows of a tile; x is a factor in registers, or where a unit's rows begin in shared memory. */
template <int N, class X>
static __device__ __forceinline__ void mdm_group_scores(float (&s)[N / 8][4], const X &x, const mdm_bf16 *tile)
{
#    pragma unroll
    for (int i = 0; i < 4; i++)
        mdm_group_dots<N>(s, mdm_group_part(x, i), tile, i, i > 0);
    mdm_group_close();
}

#endif
#endif
