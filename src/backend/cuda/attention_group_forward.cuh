/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group forward: a unit of queries goes through tiles of 64 keys. Where the tiles come from, and when, is
 * the business of a source: what its ready(t) has returned for, tile t can be read at k(t) and v(t), until ready(t+2)
 * is called. ready() is called once for each tile, in order, by whole warpgroups.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_GROUP_FORWARD_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_GROUP_FORWARD_CUH

#include "backend/cuda/attention_group.cuh"

enum { MDM_UNIT = MDM_GROUP_ROWS * 64 }; /* values of a unit's queries, or of a tile's keys */

#if MDM_HAS_GROUPS

/* A unit's, and of each of its warps. */
struct mdm_group_state {
    mdm_group_factor q;
    float o[8][4];
    float top[2], total[2];
};

/* With 16 queries from `row` on. */
static __device__ __forceinline__ void mdm_group_start(mdm_group_state &a, const mdm_bf16 *q, int row)
{
    mdm_group_load(a.q, q, row);
#    pragma unroll
    for (int i = 0; i < 32; i++)
        a.o[i / 4][i % 4] = 0;
    a.top[0] = a.top[1] = -INFINITY;
    a.total[0] = a.total[1] = 0;
}

/* Begins to add the weighted values of N keys. */
template <int N>
static __device__ __forceinline__ void mdm_group_answer(mdm_group_state &a, const unsigned (&p)[N / 16][4],
                                                        const mdm_bf16 *v)
{
#    pragma unroll
    for (int i = 0; i < N / 16; i++)
        mdm_group_sums(a.o, p[i], v, i);
    mdm_group_close();
}

template <int N> static __device__ __forceinline__ void mdm_hide_absent(float (&s)[N][4], int there)
{
    const int column = threadIdx.x % 4 * 2;

#    pragma unroll
    for (int n = 0; n < N; n++)
#    pragma unroll
        for (int c = 0; c < 4; c++)
            s[n][c] = 8 * n + column + c % 2 < there ? s[n][c] : -INFINITY;
}

/* 16 keys, of which `there` are. */
static __device__ __forceinline__ void mdm_group_attend_few(mdm_group_state &a, const mdm_bf16 *k, const mdm_bf16 *v,
                                                            int there, float scale)
{
    float s[1][2][4];
    unsigned p[1][1][4];

    mdm_group_begin();
    mdm_group_scores<MDM_ROWS>(s[0], a.q, k);
    mdm_group_wait<0>();
    mdm_group_hold(s[0]);
    mdm_hide_absent(s[0], there);
    mdm_soften<2, 8>(s[0], a.o, a.top, a.total, scale);
    mdm_pairs<1, 1>(p, s);
    mdm_group_hold(a.o);
    mdm_group_begin();
    mdm_group_answer<MDM_ROWS>(a, p[0], v);
    mdm_group_wait<0>();
    mdm_group_hold(a.o);
}

/* All keys. The products that ask the next tile run before those that this tile answers with, so that the search for
 * its largest score goes on beside the latter. */
template <class S>
static __device__ __forceinline__ void mdm_group_attend(mdm_group_state &a, S &source, int n, float scale)
{
    const int tiles = n / MDM_TILE;
    float s[1][8][4], most[2];

    source.ready(0);
    mdm_group_begin();
    mdm_group_scores<MDM_TILE>(s[0], a.q, source.k(0));
    mdm_group_wait<0>();
    mdm_group_hold(s[0]);
    most[0] = mdm_find_most<8>(s[0], scale, 0);
    most[1] = mdm_find_most<8>(s[0], scale, 1);
#    pragma unroll 1
    for (int t = 0;; t++) {
        unsigned p[1][4][4];

#    pragma unroll
        for (int h = 0; h < 2; h++)
            mdm_grow<8>(a.o, a.top, a.total, most[h], h);
#    pragma unroll
        for (int h = 0; h < 2; h++)
            mdm_weigh<8>(s[0], a.top, a.total, scale, h);
        mdm_pairs<1, 4>(p, s);
        if (t + 1 == tiles) {
            mdm_group_hold(a.o);
            mdm_group_begin();
            mdm_group_answer<MDM_TILE>(a, p[0], source.v(t));
            mdm_group_wait<0>();
            mdm_group_hold(a.o);
            break;
        }
        source.ready(t + 1);
        mdm_group_hold(a.o);
        mdm_group_begin();
        mdm_group_scores<MDM_TILE>(s[0], a.q, source.k(t + 1));
        mdm_group_answer<MDM_TILE>(a, p[0], source.v(t));
        mdm_group_wait<1>();
        mdm_group_hold(s[0]);
        most[0] = mdm_find_most<8>(s[0], scale, 0);
        most[1] = mdm_find_most<8>(s[0], scale, 1);
        mdm_group_hold(most);
        mdm_group_wait<0>();
        mdm_group_hold(a.o);
    }
    if (n % MDM_TILE == 0)
        return;
    source.ready(tiles);
    for (int row = 0; row < n % MDM_TILE; row += MDM_ROWS)
        mdm_group_attend_few(a, source.k(tiles) + row * 64, source.v(tiles) + row * 64, n % MDM_TILE - row, scale);
}

/* This warp's rows. */
static __device__ __forceinline__ void mdm_group_finish(mdm_group_state &a, const mdm_attention &job,
                                                        const mdm_attention_head<mdm_bf16> &h, int first,
                                                        mdm_bf16 *room)
{
    const int row = threadIdx.x % MDM_WARP / 4;

    a.total[0] = mdm_quad_sum(a.total[0]);
    a.total[1] = mdm_quad_sum(a.total[1]);
    if (first >= job.n)
        return;
    if (job.lse && threadIdx.x % 4 == 0)
        for (int i = 0; i < 2; i++)
            if (first + row + 8 * i < job.n)
                h.lse[first + row + 8 * i] = (a.top[i] + log2f(a.total[i])) * (float)MDM_LN_2;
    if (job.y)
        mdm_store_rows<64>(h.y + first * h.row_step, h.row_step, job.n - first, (int)job.width, room, a.o,
                           1.0f / a.total[0], 1.0f / a.total[1], 0);
}

/* ---- the rest's rows, whose keys warps share ---- */

/* 16 keys, of which `there` are, by one warp. */
static __device__ __forceinline__ void mdm_rest_attend(mdm_group_state &a, const mdm_bf16 *k, const mdm_bf16 *v,
                                                       int there, float scale)
{
    float s[1][2][4] = {};
    unsigned p[1][1][4];

    mdm_dots<64, 1, 1>(s, &a.q, k, 0);
    mdm_hide_absent(s[0], there);
    mdm_soften<2, 8>(s[0], a.o, a.top, a.total, scale);
    mdm_pairs<1, 1>(p, s);
    mdm_sums<64, 1, 1>(&a.o, p, v, 0);
}

enum { MDM_SHARE = 64 + 2 }; /* o, top, total of a row */

static __device__ __forceinline__ void mdm_rest_put(float *share, mdm_group_state &a, int rows)
{
    const int row = threadIdx.x % MDM_WARP / 4, column = threadIdx.x % 4 * 2;

#    pragma unroll
    for (int h = 0; h < 2; h++) {
        float *const to = share + (row + 8 * h) * MDM_SHARE;

        a.total[h] = mdm_quad_sum(a.total[h]);
        if (row + 8 * h >= rows)
            continue;
        to[64] = a.top[h];
        to[65] = a.total[h];
#    pragma unroll
        for (int n = 0; n < 8; n++) {
            to[8 * n + column] = a.o[n][2 * h];
            to[8 * n + column + 1] = a.o[n][2 * h + 1];
        }
    }
}

/* From `shares` warps', in order; 16 threads have a row. */
static __device__ __forceinline__ void mdm_rest_meet(const float *share, int shares, int rows,
                                                     const mdm_attention &job, const mdm_attention_head<mdm_bf16> &h)
{
    const int row = threadIdx.x / 16, column = threadIdx.x % 16 * 4, step = rows * MDM_SHARE;
    const int64_t at = job.n - rows + row;
    float top = -INFINITY, total = 0, o[4] = {};

    if (row >= rows)
        return;
    share += row * MDM_SHARE;
    for (int i = 0; i < shares; i++)
        top = fmaxf(top, share[i * step + 64]);
    for (int i = 0; i < shares; i++) {
        const float weight = mdm_exp2(share[i * step + 64] - top);

        total = fmaf(weight, share[i * step + 65], total);
        for (int c = 0; c < 4; c++)
            o[c] = fmaf(weight, share[i * step + column + c], o[c]);
    }
    if (job.lse && column == 0)
        h.lse[at] = (top + log2f(total)) * (float)MDM_LN_2;
    for (int c = 0; job.y && c < 4; c++)
        if (column + c < job.width)
            h.y[at * h.row_step + column + c] = mdm_round<mdm_bf16>(o[c] / total);
}

/* ---- copies: what a thread has of a tile of 64 rows by all of a block ---- */

struct mdm_mover {
    int64_t step, offset; /* of rows; where it begins in a tile's source, */
    int row, to, inside;  /* at which row, and in shared memory; has the head this column */
};

static __device__ __forceinline__ mdm_mover mdm_find_mover(int64_t step, int width)
{
    const int row = threadIdx.x / 8, pack = threadIdx.x % 8;
    mdm_mover m;

    m.step = step;
    m.inside = pack * 8 < width;
    m.offset = row * step + (m.inside ? pack * 8 : 0);
    m.row = row;
    m.to = mdm_pack_at<64>(row, pack);
    return m;
}

/* Begins to copy 64 rows of which all are there. */
template <int THREADS>
static __device__ __forceinline__ void mdm_move_all(const mdm_mover &m, mdm_bf16 *tile, const mdm_bf16 *p)
{
    enum { STEP = THREADS / 8 }; /* a multiple of 8: packs are turned alike */

#    pragma unroll
    for (int i = 0; i < MDM_TILE / STEP; i++)
        mdm_copy_pack(tile + m.to + i * STEP * 64, p + m.offset + i * STEP * m.step, m.inside);
}

/* The same of `there` rows, and zeros up to `count`. */
template <int THREADS>
static __device__ __forceinline__ void mdm_move(const mdm_mover &m, mdm_bf16 *tile, const mdm_bf16 *p, int there,
                                                int count)
{
    enum { STEP = THREADS / 8 };

#    pragma unroll
    for (int i = 0; i < MDM_TILE / STEP; i++) {
        const int row = m.row + i * STEP, is = m.inside && row < there;

        if (row < count)
            mdm_copy_pack(tile + m.to + i * STEP * 64, is ? p + m.offset + i * STEP * m.step : p, is);
    }
}

/* A tile of the `there` keys from `p` on, and the values that are `dim` behind them. */
template <int THREADS>
static __device__ __forceinline__ void mdm_move_keys(const mdm_mover &m, mdm_bf16 *k, mdm_bf16 *v, const mdm_bf16 *p,
                                                     int64_t dim, int there)
{
    if (there >= MDM_TILE) {
        mdm_move_all<THREADS>(m, k, p);
        mdm_move_all<THREADS>(m, v, p + dim);
    } else {
        mdm_move<THREADS>(m, k, p, there, mdm_whole_rows(there));
        mdm_move<THREADS>(m, v, p + dim, there, mdm_whole_rows(there));
    }
}

#endif
#endif
