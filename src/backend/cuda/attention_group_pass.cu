/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group backward in two passes. A block has as many turns as there are to do, each of two units of a head;
 * one warpgroup fills a ring with the units' own rows and with what they go through, also while others end a turn.
 *
 * What is left behind the last whole unit costs no turns of its own: as every turn has its units' queries in shared
 * memory, it makes their share of that rest's gradients as keys, and of its keys', as queries. The shares of all
 * units are put together in order by a kernel of its own.
 */
#include "backend/cuda/attention_group_tiles.cuh"

enum { W = 64, ROOM = MDM_ROWS * W, RESULTS = 3, MEET = 64 };
enum { REGISTERS = 224, WRITER_REGISTERS = 56 }; /* of a thread */

/* What there is of a head, and of all heads. */
struct plan {
    mdm_units units;
    int turns, tiles, tail; /* of a head; whole tiles; rows behind them */
    int items;              /* turns of all heads */
};

static __host__ __device__ __forceinline__ plan make_plan(const mdm_attention &a)
{
    plan p;

    p.units = mdm_find_units(a.n);
    p.turns = (p.units.whole + MDM_RING_GROUPS - 1) / MDM_RING_GROUPS;
    p.tiles = (int)(a.n / MDM_TILE);
    p.tail = (int)(a.n % MDM_TILE);
    p.items = (int)(a.batch * a.heads) * p.turns;
    return p;
}

/* Shares of dk, dv and dq of a head's rest: [B,h,units,3,rest,64]. */
static __host__ __device__ __forceinline__ int64_t share_values(const mdm_units &u)
{
    return (int64_t)u.whole * RESULTS * u.rest * W;
}

static __device__ __forceinline__ float *find_shares(const mdm_attention &a)
{
    return (float *)(a.pair + a.batch * a.heads * mdm_whole_rows(a.n));
}

#if MDM_HAS_GROUPS

/* A turn's own rows, and all others of its head. */
static __device__ __forceinline__ void fill_pass(mdm_ring_writer &w, const plan &p, int turn, int n,
                                                 const mdm_ring_source &own, const mdm_ring_source &others)
{
    for (int i = 0; i < MDM_RING_GROUPS; i++) {
        const int from = (turn * MDM_RING_GROUPS + i) * MDM_GROUP_ROWS;
        const int count = from / MDM_GROUP_ROWS < p.units.whole ? (int)MDM_GROUP_ROWS : 0;

        w.fill(own, from, n - from < count ? n - from : count, count, 0);
    }
    if (p.units.rest && turn == p.turns - 1)
        w.fill(own, p.units.whole * MDM_GROUP_ROWS, p.units.rest, MDM_ROWS, 0);
    if (p.tail)
        w.fill(others, p.tiles * MDM_TILE, p.tail, mdm_whole_rows(p.tail), 0);
    for (int i = 0; i < p.tiles; i++)
        w.fill(others, i * MDM_TILE, MDM_TILE, MDM_TILE, 1);
}

template <int QUERIES>
static __device__ __forceinline__ void fill_all(const mdm_attention &a, const plan &p, const mdm_ring &r)
{
    const int column = threadIdx.x % 8 * 8;
    mdm_ring_writer w = {r, {0, 0}, {0, 0}, 0};

    for (int item = blockIdx.x; item < p.items; item += gridDim.x) {
        const int index = item / p.turns;
        const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(a, index);
        const int turn = item % p.turns, n = (int)a.n, there = column < a.width, at = there ? column : 0;
        const mdm_ring_source queries = {h.q + at, h.dy + at, h.step, h.row_step, a.pair + index * mdm_whole_rows(n),
                                         there};
        const mdm_ring_source keys = {h.k + at, h.v + at, h.step, h.step, NULL, there};

        if (QUERIES)
            fill_pass(w, p, turn, n, queries, keys);
        else
            fill_pass(w, p, turn, n, keys, queries);
    }
    w.end();
}

/* A unit's share of one of the rest's gradients, from its warps'. */
static __device__ __forceinline__ void give_share(mdm_ring_reader &from, float *share, const float o[8][4], int rows)
{
    const float *const rooms = from.r.room(threadIdx.x / MDM_GROUP_THREADS * MDM_GROUP_WARPS);

    mdm_put_share(from.r.room(threadIdx.x / MDM_WARP), o, rows);
    from.meet();
    for (int i = threadIdx.x % MDM_GROUP_THREADS; i < rows * W; i += MDM_GROUP_THREADS) {
        float sum = 0;

        for (int k = 0; k < MDM_GROUP_WARPS; k++)
            sum += rooms[k * ROOM + i];
        share[i] = sum;
    }
    from.meet();
}

static __device__ __forceinline__ void give_shares(mdm_ring_reader &from, float *share, const mdm_by_keys<W, 1> &r,
                                                   int rows)
{
    give_share(from, share, r.dk[0], rows);
    give_share(from, share + rows * W, r.dv[0], rows);
}

static __device__ __forceinline__ void give_shares(mdm_ring_reader &from, float *share, const mdm_by_queries<W, 1> &r,
                                                   int rows)
{
    give_share(from, share + 2 * rows * W, r.dq[0], rows);
}

/* Which unit of which head. */
struct turn {
    int index, unit, last; /* of the head's turns, which takes the rest against itself */
};

/* The rest's rows, which are in the stage `rest`, against the unit's. */
template <class R>
static __device__ __forceinline__ void do_rest(const mdm_attention &a, const plan &p, const turn &t,
                                               mdm_ring_reader &from, const mdm_stage &own, const mdm_stage &corner,
                                               const mdm_stage &rest, float scale)
{
    const int warp = threadIdx.x / MDM_WARP, rows = p.units.rest;
    float *const shares = find_shares(a) + (int64_t)t.index * share_values(p.units);
    R r;

    r.begin(rest, 0);
    r.template take<1, 0>(own, warp % MDM_GROUP_WARPS * MDM_ROWS, MDM_ROWS, scale);
    if (t.last && warp == 0)
        r.template take<1, 0>(corner, 0, rows, scale);
    give_shares(from, shares + t.unit * RESULTS * rows * W, r, rows);
}

static __device__ __forceinline__ void stream(mdm_group_keys<mdm_group_factor> &u, mdm_ring_reader &from, int tiles,
                                              float scale)
{
    mdm_group_stream<unsigned[1][4][4]>(u, u.k, from, tiles, scale);
}

static __device__ __forceinline__ void stream(mdm_group_queries &u, mdm_ring_reader &from, int tiles, float scale)
{
    mdm_group_stream<float[8][4]>(u, u.q, from, tiles, scale);
}

/* One pass of a unit; R does the rest's. Nobody may leave a stage out, and so a turn's second warpgroup goes through
 * all where the head has no unit for it. */
template <class P, class R>
static __device__ __forceinline__ void do_pass(const mdm_attention &a, const plan &p, const turn &t,
                                               mdm_ring_reader &from, float scale)
{
    const int warp = threadIdx.x / MDM_WARP % MDM_GROUP_WARPS;
    const int row = t.unit * MDM_GROUP_ROWS + warp * MDM_ROWS, is = t.unit < p.units.whole;
    mdm_stage own = from.take(), second = from.take(), corner = own, tail = own;
    P pass;

    if (t.unit % MDM_RING_GROUPS)
        own = second;
    if (p.units.rest && t.last)
        corner = from.take();
    if (p.tail)
        tail = from.take();
    if (is && p.units.rest)
        do_rest<R>(a, p, t, from, own, corner, tail, scale);
    pass.begin(own, warp * MDM_ROWS);
    for (int i = 0; is && i < p.tail; i += MDM_ROWS)
        pass.template take<MDM_ROWS>(tail.first + i * W, tail.second + i * W, tail.pair + i, p.tail - i, scale);
    while (from.behind.slot != from.next.slot)
        from.release();
    if (is)
        stream(pass, from, p.tiles, scale);
    for (int i = 0; !is && i < p.tiles; i++) {
        from.take();
        from.release();
    }
    if (is && row < a.n)
        pass.finish(a, mdm_attention_find<mdm_bf16>(a, t.index), row, (mdm_bf16 *)from.r.room(threadIdx.x / MDM_WARP),
                    (float)MDM_LN_2 * scale);
}

template <class P, class R>
static __device__ __forceinline__ void do_all(const mdm_attention &a, const plan &p, const mdm_ring &r, int group,
                                              float scale)
{
    mdm_ring_reader from = {r, {0, 0}, {0, 0}, 0};
    turn t;

    for (int item = blockIdx.x; item < p.items; item += gridDim.x) {
        const int which = item % p.turns;

        t.index = item / p.turns;
        t.unit = which * MDM_RING_GROUPS + group;
        t.last = which == p.turns - 1;
        do_pass<P, R>(a, p, t, from, scale);
    }
}

#endif

template <int QUERIES>
static __global__ void __launch_bounds__(MDM_RING_THREADS, 1) pass(mdm_attention a, float scale)
{
#if MDM_HAS_GROUPS
    MDM_CUDA_SHARED(mdm_bf16, shared);
    const plan p = make_plan(a);
    const mdm_ring r = {mdm_group_align(shared)};
    /* of which the compiler has to know that it is the same in all lanes */
    const int group = __shfl_sync(0xffffffffu, threadIdx.x / MDM_GROUP_THREADS, 0);

    if (threadIdx.x == 0)
        mdm_ring_make(r);
    __syncthreads();
    if (group == MDM_RING_GROUPS) {
        mdm_group_give_registers<WRITER_REGISTERS>();
        fill_all<QUERIES>(a, p, r);
    } else {
        mdm_group_take_registers<REGISTERS>();
        if constexpr (QUERIES)
            do_all<mdm_group_queries, mdm_by_keys<W, 1>>(a, p, r, group, scale);
        else
            do_all<mdm_group_keys<mdm_group_factor>, mdm_by_queries<W, 1>>(a, p, r, group, scale);
    }
#endif
}

/* One of dk, dv and dq of a head's rest. */
static __global__ void __launch_bounds__(MEET) meet(mdm_attention a, float scale)
{
#if MDM_HAS_GROUPS
    const int64_t index = blockIdx.x / RESULTS;
    const int which = blockIdx.x % RESULTS;
    const mdm_units units = mdm_find_units(a.n);
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(a, index);
    const int size = units.rest * W;
    mdm_bf16 *const p[RESULTS] = {h.dk, h.dv, h.dq};

    mdm_meet_shares(p[which] + units.whole * MDM_GROUP_ROWS * h.step, h.step,
                    find_shares(a) + index * share_values(units) + which * size, RESULTS * size, units.whole,
                    units.rest, (int)a.width, which == 1 ? 1 : (float)MDM_LN_2 * scale, a.add);
#endif
}

/* ---- launching ---- */

enum { BYTES = MDM_RING_BYTES + MDM_GROUP_ALIGN };

size_t mdm_attention_group_scratch(const mdm_attention *a)
{
    return (size_t)(a->batch * a->heads * share_values(mdm_find_units(a->n))) * sizeof(float);
}

int mdm_attention_group_pass_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", pass<0>, BYTES));
    return mdm_cuda_allow_shared(d, "attention", pass<1>, BYTES);
}

int mdm_attention_group_pass(struct mdm_cuda *d, const mdm_attention *a, float scale)
{
    const plan p = make_plan(*a);
    const int blocks = p.items < d->processors ? p.items : d->processors;
    const dim3 grid((unsigned)blocks);

    MDM_CUDA_TRY(mdm_cuda_launch(d, "attention", pass<0>, grid, MDM_RING_THREADS, BYTES, *a, scale));
    MDM_CUDA_TRY(mdm_cuda_launch(d, "attention", pass<1>, grid, MDM_RING_THREADS, BYTES, *a, scale));
    if (!p.units.rest)
        return MASKDM_OK;
    return mdm_cuda_launch(d, "attention", meet, dim3((unsigned)(a->batch * a->heads * RESULTS)), MEET, 0, *a, scale);
}
