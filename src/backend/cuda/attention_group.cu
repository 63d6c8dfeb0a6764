/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group forward: two units of queries in a block, and keys in tiles of 64, the next one while the last one
 * is worked on.
 */
#include "backend/cuda/attention_group.cuh"

enum { UNITS = 2, THREADS = UNITS * MDM_GROUP_THREADS, WARPS = THREADS / MDM_WARP, ROWS = UNITS * MDM_GROUP_ROWS };
enum { W = 64, TILE = MDM_TILE * W };

#if MDM_HAS_GROUPS

/* A unit's, and of each of its warps. */
struct state {
    unsigned q[W / 16][4];
    float o[W / 8][4];
    float top[2], total[2];
};

/* N keys, of which `there` are. */
template <int N>
static __device__ __forceinline__ void attend(state &a, const mdm_bf16 *k, const mdm_bf16 *v, int there, float scale)
{
    const int column = threadIdx.x % 4 * 2;
    float s[1][N / 8][4];
    unsigned p[1][N / 16][4];

    mdm_group_begin();
#    pragma unroll
    for (int i = 0; i < W / 16; i++)
        mdm_group_dots<N>(s[0], a.q[i], k, i, i > 0);
    mdm_group_close();
    mdm_group_wait<0>();
    mdm_group_hold(s[0]);
    if (N < MDM_TILE)
#    pragma unroll
        for (int n = 0; n < N / 8; n++)
#    pragma unroll
            for (int c = 0; c < 4; c++)
                s[0][n][c] = 8 * n + column + c % 2 < there ? s[0][n][c] : -INFINITY;
    mdm_soften<N / 8, W / 8>(s[0], a.o, a.top, a.total, scale);
    mdm_pairs<1, N / 16>(p, s);
    mdm_group_hold(a.o);
    mdm_group_begin();
#    pragma unroll
    for (int i = 0; i < N / 16; i++)
        mdm_group_sums(a.o, p[0][i], v + MDM_ROWS * i * W);
    mdm_group_close();
    mdm_group_wait<0>();
    mdm_group_hold(a.o);
}

static __device__ __forceinline__ void attend_tile(state &a, const mdm_bf16 *k, const mdm_bf16 *v, int there,
                                                   float scale)
{
    if (there >= MDM_TILE)
        attend<MDM_TILE>(a, k, v, MDM_TILE, scale);
    else
        for (int row = 0; row < there; row += MDM_ROWS)
            attend<MDM_ROWS>(a, k + row * W, v + row * W, there - row, scale);
}

/* The same of 16 keys by one warp, for the rows behind the last unit. */
static __device__ __forceinline__ void attend_rest(state &a, const mdm_bf16 *k, const mdm_bf16 *v, int row, int there,
                                                   float scale)
{
    const int column = threadIdx.x % 4 * 2;
    float s[1][2][4] = {};
    unsigned p[1][1][4];

    mdm_dots<W, 1, 1>(s, &a.q, k, row);
#    pragma unroll
    for (int n = 0; n < 2; n++)
#    pragma unroll
        for (int c = 0; c < 4; c++)
            s[0][n][c] = 8 * n + column + c % 2 < there ? s[0][n][c] : -INFINITY;
    mdm_soften<2, W / 8>(s[0], a.o, a.top, a.total, scale);
    mdm_pairs<1, 1>(p, s);
    mdm_sums<W, 1, 1>(&a.o, p, v, row);
}

/* What a warp has of the rest. */
struct share {
    float o[MDM_ROWS][W], top[MDM_ROWS], total[MDM_ROWS];
};

static __device__ __forceinline__ void put_share(share &s, const state &a)
{
    const int row = threadIdx.x % MDM_WARP / 4, column = threadIdx.x % 4 * 2;

#    pragma unroll
    for (int h = 0; h < 2; h++) {
        s.top[row + 8 * h] = a.top[h];
        s.total[row + 8 * h] = a.total[h];
#    pragma unroll
        for (int n = 0; n < W / 8; n++) {
            s.o[row + 8 * h][8 * n + column] = a.o[n][2 * h];
            s.o[row + 8 * h][8 * n + column + 1] = a.o[n][2 * h + 1];
        }
    }
}

/* The rest's rows from all warps' shares; 16 threads have a row. */
static __device__ __forceinline__ void meet(const share *s, const mdm_attention &job,
                                            const mdm_attention_head<mdm_bf16> &h, int first)
{
    const int row = threadIdx.x / 16, column = threadIdx.x % 16 * 4;
    float top = -INFINITY, total = 0, o[4] = {};

    for (int i = 0; i < WARPS; i++)
        top = fmaxf(top, s[i].top[row]);
    for (int i = 0; i < WARPS; i++) {
        const float weight = mdm_exp2(s[i].top[row] - top);

        total = fmaf(weight, s[i].total[row], total);
        for (int c = 0; c < 4; c++)
            o[c] = fmaf(weight, s[i].o[row][column + c], o[c]);
    }
    if (first + row >= job.n)
        return;
    if (job.lse && column == 0)
        h.lse[first + row] = (top + log2f(total)) * (float)MDM_LN_2;
    for (int c = 0; job.y && c < 4; c++)
        if (column + c < job.width)
            h.y[(first + row) * h.row_step + column + c] = mdm_round<mdm_bf16>(o[c] / total);
}

static __device__ __forceinline__ void finish(state &a, const mdm_attention &job,
                                              const mdm_attention_head<mdm_bf16> &h, int first, mdm_bf16 *room)
{
    const int row = threadIdx.x % MDM_WARP / 4;

    if (job.lse && threadIdx.x % 4 == 0)
        for (int i = 0; i < 2; i++)
            if (first + row + 8 * i < job.n)
                h.lse[first + row + 8 * i] = (a.top[i] + log2f(a.total[i])) * (float)MDM_LN_2;
    if (job.y)
        mdm_store_rows<W>(h.y + first * h.row_step, h.row_step, job.n - first, (int)job.width, room, a.o,
                          1.0f / a.total[0], 1.0f / a.total[1], 0);
}

/* The next tile of keys, and of values behind it. */
static __device__ __forceinline__ void copy_keys(const mdm_team &team, mdm_bf16 *k, const mdm_bf16 *from,
                                                 const mdm_attention &a, int rest)
{
    const int there = rest < MDM_TILE ? rest : (int)MDM_TILE, count = mdm_whole_rows(there);

    mdm_copy_rows<W>(team, k, from, 3 * a.dim, there, count, (int)a.width);
    mdm_copy_rows<W>(team, k + TILE, from + a.dim, 3 * a.dim, there, count, (int)a.width);
    mdm_copy_close();
}

#endif

static __global__ void __launch_bounds__(THREADS, 2) forward(mdm_attention job, float scale)
{
#if MDM_HAS_GROUPS
    MDM_CUDA_SHARED(mdm_bf16, shared);
    const mdm_team team = {WARPS, 0, (int)threadIdx.x};
    const mdm_units units = mdm_find_units(job.n);
    const int n = (int)job.n, blocks = (units.whole + UNITS - 1) / UNITS, all = blocks + (units.rest > 0);
    const int block = blockIdx.x % all, alone = block < blocks, warp = threadIdx.x / MDM_WARP;
    const int first = alone ? block * ROWS : units.whole * MDM_GROUP_ROWS, own = alone ? warp * MDM_ROWS : 0;
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(job, blockIdx.x / all);
    const mdm_bf16 *next = h.k;
    mdm_bf16 *const q = mdm_group_align(shared), *keys = q + ROWS * W, *other = keys + 2 * TILE;
    state a = {};
    int part = warp / MDM_GROUP_WARPS;

    a.top[0] = a.top[1] = -INFINITY;
    mdm_copy_rows<W>(team, q, h.q + first * h.step, h.step, n - first, alone ? (int)ROWS : (int)MDM_ROWS,
                     (int)job.width);
    copy_keys(team, keys, next, job, n);
    for (int rest = n; rest > 0; rest -= MDM_TILE) {
        mdm_bf16 *const now = keys;
        const int there = rest < MDM_TILE ? rest : (int)MDM_TILE;

        mdm_copy_wait<0>();
        mdm_group_publish();
        __syncthreads(); /* and nobody reads the last tile any more */
        next += MDM_TILE * 3 * job.dim;
        if (rest > MDM_TILE)
            copy_keys(team, other, next, job, rest - MDM_TILE);
        if (rest == n)
#    pragma unroll
            for (int i = 0; i < W / 16; i++)
                mdm_left<W>(a.q[i], q, own, i);
        if (alone && first + warp / MDM_GROUP_WARPS * MDM_GROUP_ROWS < n)
            attend_tile(a, now, now + TILE, there, scale);
        else if (!alone && part == 0 && warp % MDM_GROUP_WARPS * MDM_ROWS < there)
            attend_rest(a, now, now + TILE, warp % MDM_GROUP_WARPS * MDM_ROWS,
                        there - warp % MDM_GROUP_WARPS * MDM_ROWS, scale);
        part ^= 1; /* a rest's keys go to one half of the warps and to the other */
        keys = other;
        other = now;
    }
    a.total[0] = mdm_quad_sum(a.total[0]);
    a.total[1] = mdm_quad_sum(a.total[1]);
    if (alone && first + own < n)
        finish(a, job, mdm_attention_find<mdm_bf16>(job, blockIdx.x / all), first + own, q + own * W);
    if (alone)
        return;
    __syncthreads();
    put_share(((share *)q)[warp], a);
    __syncthreads();
    meet((const share *)q, job, mdm_attention_find<mdm_bf16>(job, blockIdx.x / all), first);
#endif
}

enum { BYTES = (ROWS * W + 4 * TILE) * sizeof(mdm_bf16) + MDM_GROUP_ALIGN };

int mdm_attention_group_takes(const mdm_attention *a)
{
    return a->width % 8 == 0 && a->width > 32 && a->width <= W && a->n > MDM_GROUP_LEAST;
}

/* 9.0 alone has these products; the build may have left it out. */
int mdm_attention_group_here(struct mdm_cuda *d)
{
#if defined(MDM_CUDA_GROUPS) || defined(MDM_CUDA_EMULATED)
    int major = 0, minor = 0;

    MDM_CUDA_TRY(
        mdm_cuda_check(d, cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, d->unit), "attention"));
    MDM_CUDA_TRY(
        mdm_cuda_check(d, cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, d->unit), "attention"));
    return major == 9 && minor == 0;
#else
    (void)d;
    return 0;
#endif
}

int mdm_attention_group_allow(struct mdm_cuda *d)
{
    return mdm_cuda_allow_shared(d, "attention", forward, BYTES);
}

int mdm_attention_group_forward(struct mdm_cuda *d, const mdm_attention *a)
{
    const mdm_units units = mdm_find_units(a->n);
    const int64_t blocks = mdm_cuda_pieces(units.whole, UNITS) + (units.rest > 0);

    return mdm_cuda_launch(d, "attention", forward, dim3((unsigned)(a->batch * a->heads * blocks)), THREADS, BYTES,
                           *a, (float)(MDM_LOG2_E / sqrt((double)a->width)));
}
