/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention of bf16 on the tensor cores: tiles of rows in shared memory, and how products read them.
 *
 * A tile has W columns, a multiple of 32 that the head's width fills up to zeros. Its rows are cut into packs of 16
 * bytes, whose place in the row is turned by the row's number so that 8 rows' packs of one column lie in 8 different
 * groups of banks.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_FAST_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_FAST_CUH

#include "backend/cuda/attention.cuh"
#include "backend/cuda/mma.cuh"

#include <math.h>

enum {
    MDM_ROWS = 16,
    MDM_GROUPS = 4,
    MDM_TILE = MDM_GROUPS * MDM_ROWS
}; /* of a product; of a tile that is streamed */

#define MDM_LOG2_E 1.4426950408889634
#define MDM_LN_2 0.6931471805599453

/* Where a pack of a row begins. */
template <int W> static __device__ __forceinline__ int mdm_pack_at(int row, int pack)
{
    enum { TURNS = W % 64 ? 4 : 8 };

    return row * W + (pack ^ (row * TURNS / 8 & (TURNS - 1))) * 8;
}

/* Registers are given to four warps at a time, so blocks have MDM_WARPS; where a head has work for 1 or 2 warps, as
 * many heads share a block as make it whole. */
enum { MDM_WARPS = 4, MDM_THREADS = MDM_WARPS * MDM_WARP };

/* The threads of a block that work on one head. */
struct mdm_team {
    int warps, index, thread; /* of a team; of this one in the block; of this thread in the team */
};

static __device__ __forceinline__ mdm_team mdm_find_team(int warps)
{
    mdm_team t;

    t.warps = warps;
    t.index = threadIdx.x / (warps * MDM_WARP);
    t.thread = threadIdx.x % (warps * MDM_WARP);
    return t;
}

static inline int mdm_team_warps(int64_t units)
{
    return units > 2 ? 4 : (int)units;
}

static __host__ __device__ __forceinline__ int mdm_whole_rows(int64_t rows)
{
    return (int)((rows + MDM_ROWS - 1) / MDM_ROWS * MDM_ROWS);
}

/* All of a team: begin to copy `count` rows, of which `there` are, of a head of `width` columns. */
template <int W>
static __device__ __forceinline__ void mdm_copy_rows(const mdm_team &team, mdm_bf16 *tile, const mdm_bf16 *p,
                                                     int64_t step, int there, int count, int width)
{
    for (int i = team.thread; i < count * (W / 8); i += team.warps * MDM_WARP) {
        const int row = i / (W / 8), pack = i % (W / 8), is = row < there && pack * 8 < width;

        mdm_copy_pack(tile + mdm_pack_at<W>(row, pack), is ? p + row * step + pack * 8 : p, is);
    }
}

/* 16 rows and 16 columns as the left factor of a product. */
template <int W>
static __device__ __forceinline__ void mdm_left(unsigned a[4], const mdm_bf16 *tile, int row, int part)
{
    const int lane = threadIdx.x % MDM_WARP;

    mdm_load_matrices(a, tile + mdm_pack_at<W>(row + lane % 16, 2 * part + lane / 16));
}

/* As the right factors of two products that have the tile's rows as their columns. */
template <int W>
static __device__ __forceinline__ void mdm_right(unsigned b[4], const mdm_bf16 *tile, int row, int part)
{
    const int lane = threadIdx.x % MDM_WARP;

    mdm_load_matrices(b, tile + mdm_pack_at<W>(row + lane / 16 * 8 + lane % 8, 2 * part + lane / 8 % 2));
}

/* As the right factors of two products that sum over the tile's rows. */
template <int W>
static __device__ __forceinline__ void mdm_right_summed(unsigned b[4], const mdm_bf16 *tile, int row, int part)
{
    const int lane = threadIdx.x % MDM_WARP;

    mdm_load_transposed(b, tile + mdm_pack_at<W>(row + lane % 16, 2 * part + lane / 16));
}

/* s[M][2G] += the products of this warp's rows, as left factors x, and of 16 G rows of a tile. */
template <int W, int M, int G>
static __device__ __forceinline__ void mdm_dots(float s[M][2 * G][4], const unsigned x[M][W / 16][4],
                                                const mdm_bf16 *tile, int row)
{
#pragma unroll
    for (int k = 0; k < W / 16; k++)
#pragma unroll
        for (int g = 0; g < G; g++) {
            unsigned b[4];

            mdm_right<W>(b, tile, row + 16 * g, k);
#pragma unroll
            for (int m = 0; m < M; m++) {
                mdm_mma(s[m][2 * g], x[m][k], b);
                mdm_mma(s[m][2 * g + 1], x[m][k], b + 2);
            }
        }
}

/* Of the four lanes that have the same rows. */
static __device__ __forceinline__ float mdm_quad_max(float x)
{
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
    return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

static __device__ __forceinline__ float mdm_quad_sum(float x)
{
    x += __shfl_xor_sync(0xffffffffu, x, 1);
    return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

/* Weights up to 2^LEEWAY are let grow before all is made relative to a larger score. */
#define MDM_LEEWAY 8.0f

/* The running softmax of Milakov and Gimelshein (2018), in powers of two: a product's scores of N x 8 keys become
 * weights relative to `top`, which o and this lane's share of the total follow; of row g, h 0, or g+8, h 1. First the
 * row's largest score, */
template <int N> static __device__ __forceinline__ float mdm_find_most(const float s[N][4], float scale, int h)
{
    float most = fmaxf(s[0][2 * h], s[0][2 * h + 1]);

#pragma unroll
    for (int n = 1; n < N; n++)
        most = fmaxf(most, fmaxf(s[n][2 * h], s[n][2 * h + 1]));
    return mdm_quad_max(most) * scale;
}

/* then what all is relative to, */
template <int O>
static __device__ __forceinline__ void mdm_grow(float o[O][4], float top[2], float total[2], float most, int h)
{
    if (most > top[h] + MDM_LEEWAY) {
        const float shrink = mdm_exp2(top[h] - most);

        top[h] = most;
        total[h] *= shrink;
#pragma unroll
        for (int n = 0; n < O; n++) {
            o[n][2 * h] *= shrink;
            o[n][2 * h + 1] *= shrink;
        }
    }
}

/* and the weights. */
template <int N>
static __device__ __forceinline__ void mdm_weigh(float s[N][4], const float top[2], float total[2], float scale,
                                                 int h)
{
    float sum = 0;

#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
        for (int c = 2 * h; c < 2 * h + 2; c++) {
            s[n][c] = mdm_exp2(fmaf(s[n][c], scale, -top[h]));
            sum += s[n][c];
        }
    total[h] += sum;
}

/* All of it, of both rows. */
template <int N, int O>
static __device__ __forceinline__ void mdm_soften(float s[N][4], float o[O][4], float top[2], float total[2],
                                                  float scale)
{
#pragma unroll
    for (int h = 0; h < 2; h++) {
        mdm_grow<O>(o, top, total, mdm_find_most<N>(s, scale, h), h);
        mdm_weigh<N>(s, top, total, scale, h);
    }
}

/* Weights or gradients of scores as left factors of products that sum over the scores' columns. */
template <int M, int G>
static __device__ __forceinline__ void mdm_pairs(unsigned p[M][G][4], const float s[M][2 * G][4])
{
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int g = 0; g < G; g++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                p[m][g][i] = mdm_pair(s[m][2 * g + i / 2][i % 2 * 2], s[m][2 * g + i / 2][i % 2 * 2 + 1]);
}

/* o += the products of weights, as left factors p, and of 16 G rows of a tile that are summed over. */
template <int W, int M, int G>
static __device__ __forceinline__ void mdm_sums(float o[M][W / 8][4], const unsigned p[M][G][4], const mdm_bf16 *tile,
                                                int row)
{
#pragma unroll
    for (int g = 0; g < G; g++)
#pragma unroll
        for (int k = 0; k < W / 16; k++) {
            unsigned b[4];

            mdm_right_summed<W>(b, tile, row + 16 * g, k);
#pragma unroll
            for (int m = 0; m < M; m++) {
                mdm_mma(o[m][2 * k], p[m][g], b);
                mdm_mma(o[m][2 * k + 1], p[m][g], b + 2);
            }
        }
}

/* This warp's 16 rows times `scale`. `room` is shared memory of 16 rows that nobody else uses: through it rows are
 * written in whole packs; what is summed onto goes without, so that it is rounded once. */
template <int W>
static __device__ __forceinline__ void mdm_store_rows(mdm_bf16 *p, int64_t step, int64_t there, int width,
                                                      mdm_bf16 *room, const float o[W / 8][4], float low_scale,
                                                      float high_scale, int add)
{
    const int lane = threadIdx.x % MDM_WARP, row = lane / 4, column = lane % 4 * 2;

#pragma unroll
    for (int n = 0; n < W / 8; n++)
#pragma unroll
        for (int h = 0; h < 2; h++) {
            const float scale = h ? high_scale : low_scale, x = o[n][2 * h] * scale, y = o[n][2 * h + 1] * scale;
            const int r = row + 8 * h;
            mdm_bf16 *at = p + r * step + 8 * n + column;

            if (!add)
                *(unsigned *)(room + mdm_pack_at<W>(r, n) + column) = mdm_pair(x, y);
            else if (r < there && 8 * n < width)
                *(unsigned *)at = mdm_pair(mdm_float(at[0]) + x, mdm_float(at[1]) + y);
        }
    if (add)
        return;
    __syncwarp();
#pragma unroll
    for (int i = lane; i < 16 * (W / 8); i += MDM_WARP) {
        const int r = i / (W / 8), pack = i % (W / 8);

        if (r < there && pack * 8 < width)
            *(mdm_pack<mdm_bf16> *)(p + r * step + pack * 8) =
                *(const mdm_pack<mdm_bf16> *)(room + mdm_pack_at<W>(r, pack));
    }
    __syncwarp();
}

#endif
