/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_fast forward: a warp has 16 M queries, and keys come in tiles of 64, the next one while the last one is
 * worked on. The last tile ends with the multiple of 16 keys that there are.
 */
#include "backend/cuda/attention_fast.cuh"

template <int W, int M> struct state {
    unsigned q[M][W / 16][4];
    float o[M][W / 8][4];
    float top[M][2], total[M][2]; /* of rows g and g+8; totals are this lane's columns' */
};

/* 16 G keys, of which `there` are. */
template <int W, int M, int G, int ALL>
static __device__ __forceinline__ void attend(state<W, M> &a, const mdm_bf16 *k, const mdm_bf16 *v, int row,
                                              int there, float scale)
{
    const int column = threadIdx.x % 4 * 2;
    float s[M][2 * G][4] = {};
    unsigned p[M][G][4];

    mdm_dots<W, M, G>(s, a.q, k, row);
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; !ALL && n < 2 * G; n++)
#pragma unroll
            for (int c = 0; c < 4; c++)
                s[m][n][c] = 8 * n + column + c % 2 < there ? s[m][n][c] : -INFINITY;
        mdm_soften<2 * G, W / 8>(s[m], a.o[m], a.top[m], a.total[m], scale);
    }
    mdm_pairs<M, G>(p, s);
    mdm_sums<W, M, G>(a.o, p, v, row);
}

template <int W, int M>
static __device__ __forceinline__ void attend_tile(state<W, M> &a, const mdm_bf16 *k, const mdm_bf16 *v, int there,
                                                   float scale)
{
    int row = 0;

    if (there == MDM_TILE)
#pragma unroll 1
        for (; row < MDM_TILE; row += 2 * MDM_ROWS)
            attend<W, M, 2, 1>(a, k, v, row, 2 * MDM_ROWS, scale);
    for (; there - row > MDM_ROWS; row += 2 * MDM_ROWS)
        attend<W, M, 2, 0>(a, k, v, row, there - row, scale);
    if (row < there)
        attend<W, M, 1, 0>(a, k, v, row, there - row, scale);
}

/* The next tile of keys, and of values behind it. */
template <int W>
static __device__ __forceinline__ void copy_keys(const mdm_team &team, mdm_bf16 *k, mdm_bf16 *v, const mdm_bf16 *from,
                                                 const mdm_attention &a, int rest)
{
    const int there = rest < MDM_TILE ? rest : (int)MDM_TILE, count = mdm_whole_rows(there);

    mdm_copy_rows<W>(team, k, from, 3 * a.dim, there, count, (int)a.width);
    mdm_copy_rows<W>(team, v, from + a.dim, 3 * a.dim, there, count, (int)a.width);
    mdm_copy_close();
}

template <int W, int M>
static __device__ __forceinline__ void finish(state<W, M> &a, const mdm_attention &job,
                                              const mdm_attention_head<mdm_bf16> &h, int64_t first, mdm_bf16 *room)
{
    const int row = threadIdx.x % MDM_WARP / 4;

#pragma unroll
    for (int m = 0; m < M; m++) {
        const int64_t at = first + MDM_ROWS * m, there = job.n - at;
        float total[2] = {mdm_quad_sum(a.total[m][0]), mdm_quad_sum(a.total[m][1])};

        if (there <= 0)
            return;
        if (job.lse && threadIdx.x % 4 == 0)
            for (int i = 0; i < 2; i++)
                if (row + 8 * i < there)
                    h.lse[at + row + 8 * i] = (a.top[m][i] + log2f(total[i])) * (float)MDM_LN_2;
        if (job.y)
            mdm_store_rows<W>(h.y + at * h.row_step, h.row_step, there, (int)job.width, room + MDM_ROWS * m * W,
                              a.o[m], 1.0f / total[0], 1.0f / total[1], 0);
    }
}

/* Shared memory of a team: q[rows], then k and v of a tile, and of a second one where there is more than one. */
struct layout {
    int rows, tile, tiles; /* of queries; of keys; tiles that there is room for */
};

static __host__ __device__ __forceinline__ layout find_layout(int64_t n, int rows)
{
    layout l;

    l.rows = rows;
    l.tile = n < MDM_TILE ? mdm_whole_rows(n) : (int)MDM_TILE;
    l.tiles = n > MDM_TILE ? 2 : 1;
    return l;
}

static __host__ __device__ __forceinline__ int count_rows(const layout &l)
{
    return l.rows + 2 * l.tile * l.tiles;
}

template <int W, int M>
static __global__ void __launch_bounds__(MDM_THREADS, W == 64 && M == 2 ? 3 : 1)
    forward(mdm_attention job, int warps, float scale)
{
    MDM_CUDA_SHARED(mdm_bf16, shared);
    const mdm_team team = mdm_find_team(warps);
    const layout l = find_layout(job.n, warps * MDM_ROWS * M);
    const int n = (int)job.n, tiles = (n + l.rows - 1) / l.rows, own = team.thread / MDM_WARP * MDM_ROWS * M;
    const int first = blockIdx.x % tiles * l.rows;
    const int64_t index = (int64_t)(blockIdx.x / tiles) * (MDM_WARPS / warps) + team.index;
    const int there = index < job.batch * job.heads ? n : 0; /* a block's last teams may have no head */
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(job, there ? index : 0);
    const mdm_bf16 *next = h.k;
    mdm_bf16 *q = shared + team.index * count_rows(l) * W;
    mdm_bf16 *keys = q + l.rows * W, *other = keys + 2 * l.tile * W;
    state<W, M> a = {};

#pragma unroll
    for (int m = 0; m < M; m++)
        a.top[m][0] = a.top[m][1] = -INFINITY;
    mdm_copy_rows<W>(team, q, h.q + first * h.step, h.step, there - first, l.rows, (int)job.width);
    copy_keys<W>(team, keys, keys + l.tile * W, next, job, n);
    for (int rest = n; rest > 0; rest -= MDM_TILE) {
        mdm_bf16 *const now = keys;

        mdm_copy_wait<0>();
        __syncthreads(); /* and nobody reads the last tile any more */
        next += MDM_TILE * 3 * job.dim;
        if (rest > MDM_TILE)
            copy_keys<W>(team, other, other + l.tile * W, next, job, rest - MDM_TILE);
        if (rest == n)
#pragma unroll
            for (int i = 0; i < M * (W / 16); i++)
                mdm_left<W>(a.q[i / (W / 16)][i % (W / 16)], q, own + MDM_ROWS * (i / (W / 16)), i % (W / 16));
        if (first + own < there)
            attend_tile<W, M>(a, now, now + l.tile * W, rest < MDM_TILE ? rest : (int)MDM_TILE, scale);
        keys = other;
        other = now;
    }
    if (first + own < there)
        finish<W, M>(a, job, mdm_attention_find<mdm_bf16>(job, index), first + own, q + own * W);
}

/* ---- launching ---- */

static size_t count_bytes(int w, int64_t n, int warps, int products)
{
    return (size_t)(MDM_WARPS / warps * count_rows(find_layout(n, warps * MDM_ROWS * products)) * w) *
           sizeof(mdm_bf16);
}

template <int W, int M> static int launch(struct mdm_cuda *d, const mdm_attention *a)
{
    const int64_t units = mdm_cuda_pieces(a->n, MDM_ROWS * M);
    const int warps = mdm_team_warps(units);
    const int64_t blocks = mdm_cuda_pieces(a->batch * a->heads, MDM_WARPS / warps) * mdm_cuda_pieces(units, warps);

    return mdm_cuda_launch(d, "attention", forward<W, M>, dim3((unsigned)blocks), MDM_THREADS,
                           count_bytes(W, a->n, warps, M), *a, warps, (float)(MDM_LOG2_E / sqrt((double)a->width)));
}

/* Two products that share what they read of keys, where there is work enough to fill the device so. Bits are the
 * same. */
template <int W> static int choose(struct mdm_cuda *d, const mdm_attention *a)
{
    const int64_t warps = a->batch * a->heads * mdm_cuda_pieces(a->n, 2 * MDM_ROWS);

    if (W <= 64 && warps >= 8 * d->processors)
        return launch < W, W <= 64 ? 2 : 1 > (d, a);
    return launch<W, 1>(d, a);
}

/* Of 4 teams whose keys fill a tile, or of one that has two tiles. */
static size_t most_bytes(int w, int products)
{
    size_t most = 0;

    for (int warps = 1; warps <= MDM_WARPS; warps *= 2) {
        const size_t one = count_bytes(w, warps * MDM_ROWS * products, warps, products);

        most = one > most ? one : most;
    }
    return count_bytes(w, 2 * MDM_TILE, MDM_WARPS, products) > most
               ? count_bytes(w, 2 * MDM_TILE, MDM_WARPS, products)
               : most;
}

template <int W> static int allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", forward<W, 1>, most_bytes(W, 1)));
    return W > 64 ? MASKDM_OK
                  : mdm_cuda_allow_shared(d, "attention", forward < W, W <= 64 ? 2 : 1 >, most_bytes(W, 2));
}

int mdm_attention_fast_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(allow<32>(d));
    MDM_CUDA_TRY(allow<64>(d));
    MDM_CUDA_TRY(allow<96>(d));
    return allow<128>(d);
}

int mdm_attention_fast_takes(const mdm_attention *a, enum mdm_dtype type)
{
    return type == MDM_BF16 && a->width % 8 == 0 && a->width <= 128;
}

int mdm_attention_fast_forward(struct mdm_cuda *d, const mdm_attention *a)
{
    if (a->width <= 32)
        return choose<32>(d, a);
    if (a->width <= 64)
        return choose<64>(d, a);
    return a->width <= 96 ? choose<96>(d, a) : choose<128>(d, a);
}
