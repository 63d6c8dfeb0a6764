/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group backward of long heads: in two passes whose blocks have three units and go through tiles of 64
 * rows.
 */
#include "backend/cuda/attention_group_stage.cuh"

enum { GROUPS = MDM_BACK_GROUPS, THREADS = MDM_BACK_THREADS, WARPS = MDM_BACK_WARPS, W = 64 };
enum { ROWS = GROUPS * MDM_GROUP_ROWS, TILE = MDM_TILE * W, ROOM = MDM_ROWS * W };

#if MDM_HAS_GROUPS

/* The rest's rows of one pass: in every tile a warp has 16 rows, or none. */
template <class P>
static __device__ __forceinline__ void take_share(P &pass, const mdm_stage &t, int turn, int there, float scale)
{
    const int warp = threadIdx.x / MDM_WARP, row = warp % MDM_GROUP_WARPS * MDM_ROWS;

    if (turn % GROUPS == warp / MDM_GROUP_WARPS && row < there)
        pass.template take<1, 0>(t, row, there - row, scale);
}

static __device__ __forceinline__ void put_shares(float *share, const mdm_by_keys<W, 1> &p, int rows)
{
    mdm_put_share(share, p.dk[0], rows);
    mdm_put_share(share + rows * W, p.dv[0], rows);
}

static __device__ __forceinline__ void put_shares(float *share, const mdm_by_queries<W, 1> &p, int rows)
{
    mdm_put_share(share, p.dq[0], rows);
}

template <int FIRST, class A, class B> struct choose_type {
    typedef A type;
};
template <class A, class B> struct choose_type<0, A, B> {
    typedef B type;
};
template <int FIRST, class A, class B> using choice = typename choose_type<FIRST, A, B>::type;

/* Goes through the tiles of the other rows with what a block owns: as units, or all warps as the rest. */
template <int REST, class P>
static __device__ __forceinline__ void stream(P &pass, const mdm_attention &a, const mdm_attention_head<mdm_bf16> &h,
                                              int64_t index, int first, const mdm_stage &own, mdm_stage now,
                                              mdm_stage other, float scale)
{
    const int n = (int)a.n, row = REST ? 0 : threadIdx.x / MDM_WARP * MDM_ROWS;
    int there = n < MDM_TILE ? n : (int)MDM_TILE;

    mdm_copy_stage<P::QUERIES>(own, a, h, index, first, n - first < ROWS ? n - first : (int)ROWS,
                               REST ? (int)MDM_ROWS : (int)ROWS);
    mdm_copy_stage<!P::QUERIES>(now, a, h, index, 0, there, mdm_whole_rows(there));
    mdm_copy_close();
    for (int from = 0, turn = 0; from < n; from += MDM_TILE, turn++) {
        const mdm_stage t = now;
        const int next = n - from - MDM_TILE, ready = there;

        mdm_copy_wait<0>();
        mdm_group_publish();
        __syncthreads(); /* and nobody reads the last tile any more */
        there = next < MDM_TILE ? next : (int)MDM_TILE;
        if (next > 0)
            mdm_copy_stage<!P::QUERIES>(other, a, h, index, from + MDM_TILE, there, mdm_whole_rows(there));
        mdm_copy_close();
        if (from == 0)
            pass.begin(own, row);
        if constexpr (REST)
            take_share(pass, t, turn, ready, scale);
        else if (first + row / MDM_GROUP_ROWS * MDM_GROUP_ROWS < n)
            mdm_group_go_through(pass, t, ready, scale, 0);
        now = other;
        other = t;
    }
}

#endif

/* One pass of long heads, by keys or by queries. */
template <int QUERIES> static __global__ void __launch_bounds__(THREADS, 1) pass(mdm_attention a, float scale)
{
#if MDM_HAS_GROUPS
    MDM_CUDA_SHARED(mdm_bf16, shared);
    enum { RESULTS = QUERIES ? 1 : 2 };
    const mdm_units units = mdm_find_units(a.n);
    const int blocks = (units.whole + GROUPS - 1) / GROUPS, all = blocks + (units.rest > 0), block = blockIdx.x % all;
    const int warp = threadIdx.x / MDM_WARP, first = block < blocks ? block * ROWS : units.whole * MDM_GROUP_ROWS;
    const int64_t index = blockIdx.x / all;
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(a, index);
    mdm_bf16 *const tiles = mdm_group_align(shared), *const stages = tiles + 2 * ROWS * W,
                    *const rooms = stages + 4 * TILE;
    float2 *const pair = (float2 *)(rooms + WARPS * ROOM);
    const mdm_stage own = {tiles, tiles + ROWS * W, pair}, now = {stages, stages + TILE, pair + ROWS};
    const mdm_stage other = {stages + 2 * TILE, stages + 3 * TILE, pair + ROWS + MDM_TILE};

    if (block < blocks) {
        choice<QUERIES, mdm_group_queries, mdm_group_keys> p;

        stream<0>(p, a, h, index, first, own, now, other, scale);
        if (first + warp * MDM_ROWS < a.n)
            p.finish(a, mdm_attention_find<mdm_bf16>(a, index), first + warp * MDM_ROWS, rooms + warp * ROOM,
                     (float)MDM_LN_2 * scale);
        return;
    }
    choice<QUERIES, mdm_by_queries<W, 1>, mdm_by_keys<W, 1>> p;
    const int size = units.rest * W;
    float *const shares = (float *)tiles;

    stream<1>(p, a, h, index, first, own, now, other, scale);
    __syncthreads();
    put_shares(shares + warp * RESULTS * size, p, units.rest);
    __syncthreads();
    mdm_meet_shares((QUERIES ? h.dq : h.dk) + first * h.step, h.step, shares, RESULTS * size, WARPS, units.rest,
                    (int)a.width, (float)MDM_LN_2 * scale, a.add);
    if (!QUERIES)
        mdm_meet_shares(h.dv + first * h.step, h.step, shares + size, RESULTS * size, WARPS, units.rest, (int)a.width,
                        1, a.add);
#endif
}

/* ---- launching ---- */

enum {
    PASS_BYTES = (2 * ROWS * W + 4 * TILE + WARPS * ROOM) * sizeof(mdm_bf16) +
                 (ROWS + 2 * MDM_TILE) * sizeof(float2) + MDM_GROUP_ALIGN
};
static_assert(PASS_BYTES >= WARPS * 2 * ROOM * sizeof(float) + MDM_GROUP_ALIGN, "room for the rest's shares");

int mdm_attention_group_pass_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", pass<0>, PASS_BYTES));
    return mdm_cuda_allow_shared(d, "attention", pass<1>, PASS_BYTES);
}

int mdm_attention_group_pass(struct mdm_cuda *d, const mdm_attention *a, float scale)
{
    const mdm_units units = mdm_find_units(a->n);
    const int64_t blocks = mdm_cuda_pieces(units.whole, GROUPS) + (units.rest > 0);
    const dim3 grid((unsigned)(a->batch * a->heads * blocks));

    MDM_CUDA_TRY(mdm_cuda_launch(d, "attention", pass<0>, grid, THREADS, PASS_BYTES, *a, scale));
    return mdm_cuda_launch(d, "attention", pass<1>, grid, THREADS, PASS_BYTES, *a, scale);
}
