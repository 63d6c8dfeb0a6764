/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_fast backward: heads of few tokens by blocks that hold one whole, others in two passes whose blocks have
 * up to 4 warps' rows and go through tiles of the rest, the next one on its way while one is worked on.
 */
#include "backend/cuda/attention_fast_backward.cuh"

enum { BLOCK = 256, LANES = 8, MOST_WARPS = 4, MOST_WHOLE = 80 };

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

static __device__ __forceinline__ int whole_rows(int rows)
{
    return (rows + MDM_ROWS - 1) / MDM_ROWS * MDM_ROWS;
}

/* Up to `most` rows of both of a stage's operands, of which `rest` are there, and the queries' pairs. */
template <int W, int QUERIES>
static __device__ __forceinline__ void copy_stage(const mdm_stage &t, const mdm_attention &a,
                                                  const mdm_attention_head<mdm_bf16> &h, const float2 *pair, int from,
                                                  int most)
{
    const int rest = (int)a.n - from, there = rest < most ? rest : most, count = whole_rows(there);
    const int width = (int)a.width;

    mdm_copy_rows<W>(t.first, (QUERIES ? h.q : h.k) + from * h.step, h.step, there, count, width);
    if (!QUERIES) {
        mdm_copy_rows<W>(t.second, h.v + from * h.step, h.step, there, count, width);
        return;
    }
    mdm_copy_rows<W>(t.second, h.dy + from * h.row_step, h.row_step, there, count, width);
    for (int i = threadIdx.x; i < count / 2; i += blockDim.x)
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

template <int W> static size_t stage_bytes(int rows)
{
    return (size_t)rows * (2 * W * sizeof(mdm_bf16) + sizeof(float2));
}

/* One pass of `P`: of blockDim rows of 16 M each, against all others in tiles. */
template <int W, int M, template <int, int> class P>
static __global__ void __launch_bounds__(128, W == 64 ? 3 : 1) pass(mdm_attention a, float scale)
{
    MDM_CUDA_SHARED(mdm_bf16, shared);
    typedef P<W, M> pass_type;
    const int rows = blockDim.x / MDM_WARP * MDM_ROWS * M, own = threadIdx.x / MDM_WARP * MDM_ROWS * M;
    const int n = (int)a.n, tiles = (n + rows - 1) / rows, first = blockIdx.x % tiles * rows;
    const int stage = 2 * MDM_TILE * (W + (int)(sizeof(float2) / sizeof(mdm_bf16)) / 2);
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(a, blockIdx.x / tiles);
    const float2 *pair = a.pair + blockIdx.x / tiles * whole_rows(n);
    const mdm_stage mine = divide<W>(shared, rows);
    mdm_bf16 *now = shared + rows * (2 * W + 4), *other = now + stage;
    pass_type p;

    copy_stage<W, pass_type::QUERIES>(mine, a, h, pair, first, rows);
    copy_stage<W, !pass_type::QUERIES>(divide<W>(now, MDM_TILE), a, h, pair, 0, MDM_TILE);
    mdm_copy_close();
    for (int from = 0; from < n; from += MDM_TILE) {
        const mdm_stage t = divide<W>(now, MDM_TILE);

        mdm_copy_wait<0>();
        __syncthreads(); /* and nobody reads the last tile any more */
        if (from + MDM_TILE < n)
            copy_stage<W, !pass_type::QUERIES>(divide<W>(other, MDM_TILE), a, h, pair, from + MDM_TILE, MDM_TILE);
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

/* Both passes of a head that shared memory holds. */
template <int W>
static __global__ void __launch_bounds__(32 * (MOST_WHOLE / MDM_ROWS)) whole(mdm_attention a, float scale)
{
    MDM_CUDA_SHARED(mdm_bf16, shared);
    const int n = (int)a.n, rows = whole_rows(n), own = threadIdx.x / MDM_WARP * MDM_ROWS;
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(a, blockIdx.x);
    const float2 *pair = a.pair + (int64_t)blockIdx.x * rows;
    const mdm_stage queries = divide<W>(shared, rows), keys = divide<W>(shared + rows * (2 * W + 4), rows);
    mdm_bf16 *room = keys.second + (rows + own) * W;

    copy_stage<W, 1>(queries, a, h, pair, 0, rows);
    copy_stage<W, 0>(keys, a, h, pair, 0, rows);
    mdm_copy_close();
    mdm_copy_wait<0>();
    __syncthreads();
    {
        mdm_by_keys<W, 1> p;

        p.begin(keys, own);
        mdm_go_through(p, queries, n, scale);
        p.finish(a, h, own, room, (float)(1 / MDM_LOG2_E) * scale);
    }
    mdm_by_queries<W, 1> p;

    p.begin(queries, own);
    mdm_go_through(p, keys, n, scale);
    p.finish(a, h, own, room, (float)(1 / MDM_LOG2_E) * scale);
}

/* ---- launching ---- */

template <int W> static size_t whole_bytes(int rows)
{
    return 2 * stage_bytes<W>(rows) + (size_t)rows * W * sizeof(mdm_bf16);
}

template <int W, int M> static size_t pass_bytes(int warps)
{
    return stage_bytes<W>(warps * MDM_ROWS * M) + 2 * stage_bytes<W>(MDM_TILE);
}

template <int W, int M, template <int, int> class P>
static int launch(struct mdm_cuda *d, const mdm_attention *a, float scale)
{
    const int64_t units = mdm_cuda_pieces(a->n, MDM_ROWS * M), tiles = mdm_cuda_pieces(units, MOST_WARPS);
    const int warps = (int)mdm_cuda_pieces(units, tiles);

    return mdm_cuda_launch(d, "attention", pass<W, M, P>,
                           dim3((unsigned)(a->batch * a->heads * mdm_cuda_pieces(units, warps))), warps * MDM_WARP,
                           pass_bytes<W, M>(warps), *a, scale);
}

template <int W> static int run(struct mdm_cuda *d, const mdm_attention *a)
{
    const float scale = (float)(MDM_LOG2_E / sqrt((double)a->width));
    const int rows = (int)mdm_cuda_pieces(a->n, MDM_ROWS) * MDM_ROWS;

    if (a->n <= MOST_WHOLE)
        return mdm_cuda_launch(d, "attention", whole<W>, dim3((unsigned)(a->batch * a->heads)),
                               rows / MDM_ROWS * MDM_WARP, whole_bytes<W>(rows), *a, scale);
    MDM_CUDA_TRY((launch<W, 1, mdm_by_keys>(d, a, scale)));
    return launch<W, 1, mdm_by_queries>(d, a, scale);
}

template <int W> static int allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", whole<W>, whole_bytes<W>(MOST_WHOLE)));
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", pass<W, 1, mdm_by_keys>, pass_bytes<W, 1>(MOST_WARPS)));
    return mdm_cuda_allow_shared(d, "attention", pass<W, 1, mdm_by_queries>, pass_bytes<W, 1>(MOST_WARPS));
}

int mdm_attention_fast_backward_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(allow<32>(d));
    MDM_CUDA_TRY(allow<64>(d));
    MDM_CUDA_TRY(allow<96>(d));
    return allow<128>(d);
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
    return (size_t)(a->batch * a->heads * mdm_cuda_pieces(a->n, MDM_ROWS) * MDM_ROWS) * sizeof(float2);
}
