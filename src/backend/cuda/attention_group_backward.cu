/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group backward of heads that shared memory holds: a block shares out its units of both passes among three
 * warpgroups. Longer ones are attention_group_pass.cu's.
 */
#include "backend/cuda/attention_group_stage.cuh"

enum { GROUPS = MDM_BACK_GROUPS, THREADS = MDM_BACK_THREADS, WARPS = MDM_BACK_WARPS, W = 64 };
enum { ROWS = GROUPS * MDM_GROUP_ROWS, ROOM = MDM_ROWS * W };

/* Rows of a head in shared memory: all units', and the rest's. */
static __host__ __device__ __forceinline__ int count_rows(int64_t n)
{
    const int whole = mdm_find_units(n).whole * MDM_GROUP_ROWS, rows = mdm_whole_rows(n);

    return whole > rows ? whole : rows;
}

#if MDM_HAS_GROUPS

/* Rows `from` to `to` of all the `rows` of a head. */
template <int QUERIES>
static __device__ __forceinline__ void copy_rows(const mdm_stage &t, const mdm_attention &a,
                                                 const mdm_attention_head<mdm_bf16> &h, int64_t index, int from,
                                                 int to, int n, int rows)
{
    const int count = (to < rows ? to : rows) - from, there = n - from < count ? n - from : count;
    const mdm_stage part = {t.first + from * W, t.second + from * W, t.pair + from};

    if (count > 0)
        mdm_copy_stage<QUERIES>(part, a, h, index, from, there, count);
}

/* One unit's pass. */
template <class P>
static __device__ __forceinline__ void do_unit(const mdm_attention &a, int64_t index, const mdm_stage &own,
                                               const mdm_stage &others, int first, mdm_bf16 *room, float scale,
                                               int arriving)
{
    const int row = first + threadIdx.x / MDM_WARP % MDM_GROUP_WARPS * MDM_ROWS;
    P pass;

    pass.begin(own, row);
    mdm_group_go_through(pass, others, (int)a.n, scale, arriving);
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
    const int arriving = units.whole >= GROUPS; /* while every group has a unit of keys, which goes by tiles */
    mdm_bf16 *const tiles = mdm_group_align(shared), *rooms = tiles + 4 * rows * W;
    float2 *const pair = (float2 *)(rooms + WARPS * ROOM);
    float *const shares = (float *)(pair + rows);
    const mdm_stage queries = {tiles, tiles + rows * W, pair},
                    keys = {tiles + 2 * rows * W, tiles + 3 * rows * W, pair};
    mdm_bf16 *const room = rooms + threadIdx.x / MDM_WARP * ROOM;
    int load[GROUPS] = {};

    for (int i = 0, from = 0; i < MDM_ARRIVALS; i++) {
        const int to = i < MDM_ARRIVALS - 1 ? MDM_TILE * (i + 1) : rows;

        if (i == 0)
            copy_rows<0>(keys, a, h, index, 0, ROWS, n, rows);
        copy_rows<1>(queries, a, h, index, from, to, n, rows);
        if (i == MDM_ARRIVALS - 1)
            copy_rows<0>(keys, a, h, index, ROWS, rows, n, rows);
        mdm_copy_close();
        from = to;
    }
    if (!arriving)
        mdm_group_await(MDM_ARRIVALS - 1);
    for (int i = 0; i < 2 * units.whole; i++) {
        const int by_keys = i < units.whole, who = find_idle(load), first = i % units.whole * MDM_GROUP_ROWS;

        load[who] += by_keys ? 4 : 3; /* products */
        if (who == group && by_keys)
            do_unit<mdm_group_keys<const mdm_bf16 *>>(a, index, keys, queries, first, room, scale,
                                                      arriving && i < GROUPS);
        else if (who == group)
            do_unit<mdm_group_queries>(a, index, queries, keys, first, room, scale, 0);
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
/* ---- launching ---- */

static size_t whole_bytes(int64_t n)
{
    const int rows = count_rows(n);

    return (size_t)(4 * rows * W + WARPS * ROOM) * sizeof(mdm_bf16) + (size_t)rows * sizeof(float2) +
           (size_t)(MDM_GROUP_WARPS * 3 * mdm_find_units(n).rest * W) * sizeof(float) + MDM_GROUP_ALIGN;
}

int mdm_attention_group_backward_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_attention_group_pass_allow(d));
    return mdm_cuda_allow_shared(d, "attention", whole, d->most_shared);
}

int mdm_attention_group_backward(struct mdm_cuda *d, const mdm_attention *a)
{
    const float scale = (float)(MDM_LOG2_E / sqrt((double)a->width));
    const size_t bytes = whole_bytes(a->n);

    MDM_CUDA_TRY(mdm_attention_make_pairs(d, a));
    if (bytes > d->most_shared)
        return mdm_attention_group_pass(d, a, scale);
    return mdm_cuda_launch(d, "attention", whole, dim3((unsigned)(a->batch * a->heads)), THREADS, bytes, *a, scale);
}
