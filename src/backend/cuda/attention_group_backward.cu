/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group backward: heads that shared memory holds by blocks that share out their units of both passes among
 * three warpgroups; others in two passes whose blocks have three units and go through tiles of 64 rows.
 */
#include "backend/cuda/attention_group_backward.cuh"

enum { GROUPS = 3, THREADS = GROUPS * MDM_GROUP_THREADS, WARPS = THREADS / MDM_WARP, W = 64 };
enum { ROWS = GROUPS * MDM_GROUP_ROWS, TILE = MDM_TILE * W, ROOM = MDM_ROWS * W };

/* Rows of a head in shared memory: all units', and the rest's. */
static __host__ __device__ __forceinline__ int count_rows(int64_t n)
{
    const int whole = mdm_find_units(n).whole * MDM_GROUP_ROWS, rows = mdm_whole_rows(n);

    return whole > rows ? whole : rows;
}

#if MDM_HAS_GROUPS

/* Begins to copy both operands of queries or of keys from row `from` on, `there` and up to `count` zeros, and pairs.
 */
template <int QUERIES>
static __device__ __forceinline__ void copy_stage(const mdm_stage &t, const mdm_attention &a,
                                                  const mdm_attention_head<mdm_bf16> &h, int64_t index, int from,
                                                  int there, int count)
{
    const mdm_team team = {WARPS, 0, (int)threadIdx.x};
    const int width = (int)a.width, pairs = mdm_whole_rows(there);
    const float2 *pair = a.pair + index * mdm_whole_rows(a.n) + from;

    mdm_copy_rows<W>(team, t.first, (QUERIES ? h.q : h.k) + from * h.step, h.step, there, count, width);
    if (!QUERIES) {
        mdm_copy_rows<W>(team, t.second, h.v + from * h.step, h.step, there, count, width);
        return;
    }
    mdm_copy_rows<W>(team, t.second, h.dy + from * h.row_step, h.row_step, there, count, width);
    for (int i = threadIdx.x; i < count / 2; i += THREADS)
        if (2 * i < pairs)
            mdm_copy_pack(t.pair + 2 * i, pair + 2 * i, 1);
        else
            t.pair[2 * i] = t.pair[2 * i + 1] = {INFINITY, 0.0f};
}

/* One unit's pass. */
template <class P>
static __device__ __forceinline__ void do_unit(const mdm_attention &a, int64_t index, const mdm_stage &own,
                                               const mdm_stage &others, int first, mdm_bf16 *room, float scale)
{
    const int row = first + threadIdx.x / MDM_WARP % MDM_GROUP_WARPS * MDM_ROWS;
    P pass;

    pass.begin(own, row);
    mdm_group_go_through(pass, others, (int)a.n, scale);
    if (row < a.n)
        pass.finish(a, mdm_attention_find<mdm_bf16>(a, index), row, room, (float)MDM_LN_2 * scale);
}

/* Both passes of the rest's rows: a warp's share of every 4th product, of dk, dv and dq after each other. */
static __device__ __forceinline__ void do_rest(const mdm_attention &a, const mdm_stage &queries,
                                               const mdm_stage &keys, const mdm_units &units, float *share,
                                               float scale)
{
    const int own = units.whole * MDM_GROUP_ROWS, size = units.rest * W;
    const int first = threadIdx.x / MDM_WARP % MDM_GROUP_WARPS * MDM_ROWS, n = (int)a.n;
    mdm_by_keys<W, 1> k;

    k.begin(keys, own);
    for (int row = first; row < n; row += MDM_GROUP_WARPS * MDM_ROWS)
        k.take<1, 0>(queries, row, n - row, scale);
    mdm_put_share(share, k.dk[0], units.rest);
    mdm_put_share(share + size, k.dv[0], units.rest);
    mdm_by_queries<W, 1> q;

    q.begin(queries, own);
    for (int row = first; row < n; row += MDM_GROUP_WARPS * MDM_ROWS)
        q.take<1, 0>(keys, row, n - row, scale);
    mdm_put_share(share + 2 * size, q.dq[0], units.rest);
}

/* The warpgroup that has least to do. */
static __device__ __forceinline__ int find_idle(const int load[GROUPS])
{
    int least = 0;

#    pragma unroll
    for (int i = 1; i < GROUPS; i++)
        if (load[i] < load[least])
            least = i;
    return least;
}

#endif

/* All of a head. */
static __global__ void __launch_bounds__(THREADS, 1) whole(mdm_attention a, float scale)
{
#if MDM_HAS_GROUPS
    MDM_CUDA_SHARED(mdm_bf16, shared);
    const int n = (int)a.n, rows = count_rows(n), group = threadIdx.x / MDM_GROUP_THREADS;
    const int64_t index = blockIdx.x;
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(a, index);
    const mdm_units units = mdm_find_units(n);
    const int size = units.rest * W, row = units.whole * MDM_GROUP_ROWS;
    mdm_bf16 *const tiles = mdm_group_align(shared), *rooms = tiles + 4 * rows * W;
    float2 *const pair = (float2 *)(rooms + WARPS * ROOM);
    float *const shares = (float *)(pair + rows);
    const mdm_stage queries = {tiles, tiles + rows * W, pair},
                    keys = {tiles + 2 * rows * W, tiles + 3 * rows * W, pair};
    mdm_bf16 *const room = rooms + threadIdx.x / MDM_WARP * ROOM;
    int load[GROUPS] = {};

    copy_stage<0>(keys, a, h, index, 0, n, rows);
    copy_stage<1>(queries, a, h, index, 0, n, rows);
    mdm_copy_close();
    mdm_copy_wait<0>();
    mdm_group_publish();
    __syncthreads();
    for (int i = 0; i < 2 * units.whole; i++) {
        const int by_keys = i < units.whole, who = find_idle(load), first = i % units.whole * MDM_GROUP_ROWS;

        load[who] += by_keys ? 4 : 3; /* products */
        if (who == group && by_keys)
            do_unit<mdm_group_keys>(a, index, keys, queries, first, room, scale);
        else if (who == group)
            do_unit<mdm_group_queries>(a, index, queries, keys, first, room, scale);
    }
    if (units.rest == 0)
        return;
    if (find_idle(load) == group)
        do_rest(a, queries, keys, units, shares + threadIdx.x / MDM_WARP % MDM_GROUP_WARPS * 3 * size, scale);
    __syncthreads();
    mdm_meet_shares(h.dk + row * h.step, h.step, shares, 3 * size, MDM_GROUP_WARPS, units.rest, (int)a.width,
                    (float)MDM_LN_2 * scale, a.add);
    mdm_meet_shares(h.dv + row * h.step, h.step, shares + size, 3 * size, MDM_GROUP_WARPS, units.rest, (int)a.width,
                    1, a.add);
    mdm_meet_shares(h.dq + row * h.step, h.step, shares + 2 * size, 3 * size, MDM_GROUP_WARPS, units.rest,
                    (int)a.width, (float)MDM_LN_2 * scale, a.add);
#endif
}
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

    copy_stage<P::QUERIES>(own, a, h, index, first, n - first < ROWS ? n - first : (int)ROWS,
                           REST ? (int)MDM_ROWS : (int)ROWS);
    copy_stage<!P::QUERIES>(now, a, h, index, 0, there, mdm_whole_rows(there));
    mdm_copy_close();
    for (int from = 0, turn = 0; from < n; from += MDM_TILE, turn++) {
        const mdm_stage t = now;
        const int next = n - from - MDM_TILE, ready = there;

        mdm_copy_wait<0>();
        mdm_group_publish();
        __syncthreads(); /* and nobody reads the last tile any more */
        there = next < MDM_TILE ? next : (int)MDM_TILE;
        if (next > 0)
            copy_stage<!P::QUERIES>(other, a, h, index, from + MDM_TILE, there, mdm_whole_rows(there));
        mdm_copy_close();
        if (from == 0)
            pass.begin(own, row);
        if constexpr (REST)
            take_share(pass, t, turn, ready, scale);
        else if (first + row / MDM_GROUP_ROWS * MDM_GROUP_ROWS < n)
            mdm_group_go_through(pass, t, ready, scale);
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

static size_t whole_bytes(int64_t n)
{
    const int rows = count_rows(n);

    return (size_t)(4 * rows * W + WARPS * ROOM) * sizeof(mdm_bf16) + (size_t)rows * sizeof(float2) +
           (size_t)(MDM_GROUP_WARPS * 3 * mdm_find_units(n).rest * W) * sizeof(float) + MDM_GROUP_ALIGN;
}

enum {
    PASS_BYTES = (2 * ROWS * W + 4 * TILE + WARPS * ROOM) * sizeof(mdm_bf16) +
                 (ROWS + 2 * MDM_TILE) * sizeof(float2) + MDM_GROUP_ALIGN
};
static_assert(PASS_BYTES >= WARPS * 2 * ROOM * sizeof(float) + MDM_GROUP_ALIGN, "room for the rest's shares");

int mdm_attention_group_backward_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", whole, d->most_shared));
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", pass<0>, PASS_BYTES));
    return mdm_cuda_allow_shared(d, "attention", pass<1>, PASS_BYTES);
}

int mdm_attention_group_backward(struct mdm_cuda *d, const mdm_attention *a)
{
    const float scale = (float)(MDM_LOG2_E / sqrt((double)a->width));
    const mdm_units units = mdm_find_units(a->n);
    const int64_t heads = a->batch * a->heads, blocks = mdm_cuda_pieces(units.whole, GROUPS) + (units.rest > 0);

    MDM_CUDA_TRY(mdm_attention_make_pairs(d, a));
    if (whole_bytes(a->n) <= d->most_shared)
        return mdm_cuda_launch(d, "attention", whole, dim3((unsigned)heads), THREADS, whole_bytes(a->n), *a, scale);
    MDM_CUDA_TRY(
        mdm_cuda_launch(d, "attention", pass<0>, dim3((unsigned)(heads * blocks)), THREADS, PASS_BYTES, *a, scale));
    return mdm_cuda_launch(d, "attention", pass<1>, dim3((unsigned)(heads * blocks)), THREADS, PASS_BYTES, *a, scale);
}
