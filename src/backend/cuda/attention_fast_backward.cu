/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_fast backward: heads of few tokens by blocks that hold one whole, others in two passes whose blocks have
 * up to 4 warps' rows and go through tiles of the rest, the next one on its way while one is worked on.
 */
#include "backend/cuda/attention_fast_backward.cuh"

enum { BLOCK = 256, LANES = 8, MOST_WHOLE = 128 };

/* lse in powers of two and delta = sum(dy y) of every row: [B,h,n], n being N rounded up to whole products. */
static __global__ void __launch_bounds__(BLOCK) make_pairs(mdm_attention a, int64_t n, int64_t items)
{
    const int64_t group = ((int64_t)blockIdx.x * BLOCK + threadIdx.x) / LANES, groups = gridDim.x * (BLOCK / LANES);
    const int lane = threadIdx.x % LANES, part = (int)(group % (MDM_WARP / LANES));

    for (int64_t first = group - part; first < items; first += groups) {
        const int64_t item = first + part, head = item % a.heads, row = item / a.heads % n, b = item / a.heads / n;
        const int there = item < items && row < a.n;
        const int64_t at = ((b * a.n + row) * a.heads + head) * a.width;
        float2 pair = {INFINITY, 0.0f};

        for (int64_t i = lane * 8; there && i < a.width; i += LANES * 8) {
            float y[8], dy[8];

            mdm_load(y, (const mdm_bf16 *)a.y + at + i);
            mdm_load(dy, (const mdm_bf16 *)a.dy + at + i);
#pragma unroll
            for (int k = 0; k < 8; k++)
                pair.y = fmaf(y[k], dy[k], pair.y);
        }
#pragma unroll
        for (int k = LANES / 2; k > 0; k /= 2)
            pair.y += __shfl_xor_sync(0xffffffffu, pair.y, k);
        if (lane > 0 || item >= items)
            continue;
        if (there)
            pair.x = a.lse[(b * a.heads + head) * a.n + row] * (float)MDM_LOG2_E;
        a.pair[(b * a.heads + head) * n + row] = pair;
    }
}

/* Up to `most` rows of both of a stage's operands, of which `rest` are there, and the queries' pairs. */
template <int W, int QUERIES>
static __device__ __forceinline__ void copy_stage(const mdm_team &team, const mdm_stage &t, const mdm_attention &a,
                                                  const mdm_attention_head<mdm_bf16> &h, const float2 *pair, int from,
                                                  int most)
{
    const int rest = (int)a.n - from, there = rest < most ? rest : most, count = mdm_whole_rows(there);
    const int width = (int)a.width;

    mdm_copy_rows<W>(team, t.first, (QUERIES ? h.q : h.k) + from * h.step, h.step, there, count, width);
    if (!QUERIES) {
        mdm_copy_rows<W>(team, t.second, h.v + from * h.step, h.step, there, count, width);
        return;
    }
    mdm_copy_rows<W>(team, t.second, h.dy + from * h.row_step, h.row_step, there, count, width);
    for (int i = team.thread; i < count / 2; i += team.warps * MDM_WARP)
        mdm_copy_pack(t.pair + 2 * i, pair + from + 2 * i, 1);
}

template <int W> static __device__ __forceinline__ mdm_stage divide(mdm_bf16 *room, int rows)
{
    mdm_stage t;

    t.first = room;
    t.second = room + rows * W;
    t.pair = (float2 *)(room + 2 * rows * W);
    return t;
}

/* What a stage takes, in values of bf16. */
template <int W> static __host__ __device__ __forceinline__ int stage_values(int rows)
{
    return rows * (2 * W + (int)(sizeof(float2) / sizeof(mdm_bf16)));
}

/* One pass of `P`: 4 warps with 16 M rows each, against all others in tiles. */
template <int W, int M, template <int, int> class P>
static __global__ void __launch_bounds__(MDM_THREADS, W == 64 ? 3 : 1) pass(mdm_attention a, float scale)
{
    MDM_CUDA_SHARED(mdm_bf16, shared);
    enum { QUERIES = P<W, M>::QUERIES, ROWS = MDM_WARPS * MDM_ROWS * M };
    const mdm_team team = mdm_find_team(MDM_WARPS);
    const int n = (int)a.n, tiles = (n + ROWS - 1) / ROWS, first = blockIdx.x % tiles * ROWS;
    const int own = threadIdx.x / MDM_WARP * MDM_ROWS * M;
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(a, blockIdx.x / tiles);
    const float2 *pair = a.pair + (int64_t)(blockIdx.x / tiles) * mdm_whole_rows(n);
    const mdm_stage mine = divide<W>(shared, ROWS);
    mdm_bf16 *now = shared + stage_values<W>(ROWS), *other = now + stage_values<W>(MDM_TILE);
    P<W, M> p;

    copy_stage<W, QUERIES>(team, mine, a, h, pair, first, ROWS);
    copy_stage<W, !QUERIES>(team, divide<W>(now, MDM_TILE), a, h, pair, 0, MDM_TILE);
    mdm_copy_close();
    for (int from = 0; from < n; from += MDM_TILE) {
        const mdm_stage t = divide<W>(now, MDM_TILE);

        mdm_copy_wait<0>();
        __syncthreads(); /* and nobody reads the last tile any more */
        if (from + MDM_TILE < n)
            copy_stage<W, !QUERIES>(team, divide<W>(other, MDM_TILE), a, h, pair, from + MDM_TILE, MDM_TILE);
        mdm_copy_close();
        if (from == 0)
            p.begin(mine, own);
        if (first + own < n)
            mdm_go_through(p, t, n - from < MDM_TILE ? n - from : (int)MDM_TILE, scale);
        now = other;
        other = t.first;
    }
    if (first + own < n)
        p.finish(a, h, first + own, shared + own * W, (float)(1 / MDM_LOG2_E) * scale);
}

/* Both passes of heads that shared memory holds, a warp's rows after those of another. */
template <int W>
static __global__ void __launch_bounds__(MDM_THREADS, W == 64 ? 3 : 1) whole(mdm_attention a, int warps, float scale)
{
    MDM_CUDA_SHARED(mdm_bf16, shared);
    const mdm_team team = mdm_find_team(warps);
    const int n = (int)a.n, rows = mdm_whole_rows(n), warp = team.thread / MDM_WARP;
    const int64_t index = (int64_t)blockIdx.x * (MDM_WARPS / warps) + team.index;
    const int there = index < a.batch * a.heads ? n : 0; /* a block's last teams may have no head */
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(a, there ? index : 0);
    const float2 *pair = a.pair + (there ? index : 0) * rows;
    const mdm_stage queries = divide<W>(shared + team.index * 2 * stage_values<W>(rows), rows);
    const mdm_stage keys = divide<W>(queries.first + stage_values<W>(rows), rows);
    mdm_bf16 *room = shared + (MDM_WARPS / warps) * 2 * stage_values<W>(rows) + threadIdx.x / MDM_WARP * MDM_ROWS * W;

    copy_stage<W, 1>(team, queries, a, h, pair, 0, rows);
    copy_stage<W, 0>(team, keys, a, h, pair, 0, rows);
    mdm_copy_close();
    mdm_copy_wait<0>();
    __syncthreads();
    for (int own = warp * MDM_ROWS; own < there; own += warps * MDM_ROWS) {
        mdm_by_keys<W, 1> p;

        p.begin(keys, own);
        mdm_go_through(p, queries, n, scale);
        p.finish(a, h, own, room, (float)(1 / MDM_LOG2_E) * scale);
    }
    for (int own = warp * MDM_ROWS; own < there; own += warps * MDM_ROWS) {
        mdm_by_queries<W, 1> p;

        p.begin(queries, own);
        mdm_go_through(p, keys, n, scale);
        p.finish(a, h, own, room, (float)(1 / MDM_LOG2_E) * scale);
    }
}

/* ---- launching ---- */

template <int W> static size_t whole_bytes(int rows, int warps)
{
    return (size_t)(MDM_WARPS / warps * 2 * stage_values<W>(rows) + MDM_WARPS * MDM_ROWS * W) * sizeof(mdm_bf16);
}

template <int W, int M> static size_t pass_bytes(void)
{
    return (size_t)(stage_values<W>(MDM_WARPS * MDM_ROWS * M) + 2 * stage_values<W>(MDM_TILE)) * sizeof(mdm_bf16);
}

template <int W, int M, template <int, int> class P>
static int launch(struct mdm_cuda *d, const mdm_attention *a, float scale)
{
    return mdm_cuda_launch(d, "attention", pass<W, M, P>,
                           dim3((unsigned)(a->batch * a->heads * mdm_cuda_pieces(a->n, MDM_WARPS * MDM_ROWS * M))),
                           MDM_THREADS, pass_bytes<W, M>(), *a, scale);
}

template <int W> static int run(struct mdm_cuda *d, const mdm_attention *a)
{
    const float scale = (float)(MDM_LOG2_E / sqrt((double)a->width));
    const int warps = mdm_team_warps(mdm_cuda_pieces(a->n, MDM_ROWS));
    const size_t bytes = a->n <= MOST_WHOLE ? whole_bytes<W>(mdm_whole_rows(a->n), warps) : SIZE_MAX;

    if (bytes <= d->most_shared)
        return mdm_cuda_launch(d, "attention", whole<W>,
                               dim3((unsigned)mdm_cuda_pieces(a->batch * a->heads, MDM_WARPS / warps)), MDM_THREADS,
                               bytes, *a, warps, scale);
    MDM_CUDA_TRY((launch<W, 1, mdm_by_keys>(d, a, scale)));
    return launch<W, 1, mdm_by_queries>(d, a, scale);
}

template <int W> static int allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", whole<W>, whole_bytes<W>(MOST_WHOLE, MDM_WARPS)));
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", pass<W, 1, mdm_by_keys>, pass_bytes<W, 1>()));
    return mdm_cuda_allow_shared(d, "attention", pass<W, 1, mdm_by_queries>, pass_bytes<W, 1>());
}

int mdm_attention_fast_backward_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(allow<32>(d));
    MDM_CUDA_TRY(allow<64>(d));
    MDM_CUDA_TRY(allow<96>(d));
    return allow<128>(d);
}

int mdm_attention_make_pairs(struct mdm_cuda *d, const mdm_attention *a)
{
    const int64_t n = mdm_whole_rows(a->n), items = a->batch * a->heads * n;

    return mdm_cuda_launch(d, "attention", make_pairs, mdm_cuda_grid(d, items * LANES, BLOCK), BLOCK, 0, *a, n,
                           items);
}

int mdm_attention_fast_backward(struct mdm_cuda *d, const mdm_attention *a)
{
    const int64_t n = mdm_cuda_pieces(a->n, MDM_ROWS) * MDM_ROWS, items = a->batch * a->heads * n;

    MDM_CUDA_TRY(
        mdm_cuda_launch(d, "attention", make_pairs, mdm_cuda_grid(d, items * LANES, BLOCK), BLOCK, 0, *a, n, items));
    if (a->width <= 32)
        return run<32>(d, a);
    if (a->width <= 64)
        return run<64>(d, a);
    return a->width <= 96 ? run<96>(d, a) : run<128>(d, a);
}

size_t mdm_attention_fast_scratch(const mdm_attention *a)
{
    return (size_t)(a->batch * a->heads * mdm_whole_rows(a->n)) * sizeof(float2);
}
