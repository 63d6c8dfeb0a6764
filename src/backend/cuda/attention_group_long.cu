/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group forward of heads that shared memory does not hold: a block has a unit for each of its warpgroups,
 * and tiles of keys come through a ring of stages. Its warpgroups need not keep step: while some multiply, others
 * take powers.
 */
#include "backend/cuda/attention_group_forward.cuh"
#include "backend/cuda/gate.cuh"

enum { STAGE = 2 * MDM_UNIT }; /* keys, and values behind them */
/* As many as there is room for beside a block's queries, with two blocks of two groups on a processor. */
static constexpr int count_stages(int groups)
{
    return groups == 2 ? 6 : 8;
}

enum { SHARES = 8 }; /* the first warps of either kind of block share a rest: bits do not depend on the kind */

#if MDM_HAS_GROUPS

/* At ready(t) a warp of the slowest group has come to ready(t-1) at least: it has done with tile t-3, has waited for
 * its copies of tile t, and every phase of the gate says so of all. */
template <int GROUPS> struct ring {
    enum { THREADS = GROUPS * MDM_GROUP_THREADS, STAGES = count_stages(GROUPS) };
    mdm_mover mover;
    const mdm_bf16 *next; /* keys to be asked for */
    int64_t dim;
    mdm_bf16 *stages;
    uint64_t *gate;
    int n;

    __device__ __forceinline__ mdm_bf16 *k(int t) const
    {
        return stages + t % STAGES * STAGE;
    }

    __device__ __forceinline__ mdm_bf16 *v(int t) const
    {
        return k(t) + MDM_UNIT;
    }

    __device__ __forceinline__ void copy(int t)
    {
        if (t * MDM_TILE < n)
            mdm_move_keys<THREADS>(mover, k(t), v(t), next, dim, n - t * MDM_TILE);
        mdm_copy_close();
        next += MDM_TILE * mover.step;
    }

    __device__ __forceinline__ void arrive()
    {
        mdm_group_publish();
        __syncwarp();
        if (threadIdx.x % MDM_WARP == 0)
            mdm_gate_arrive(gate);
    }

    __device__ __forceinline__ void begin()
    {
#    pragma unroll
        for (int t = 0; t < STAGES - 3; t++)
            copy(t);
        mdm_copy_wait<STAGES - 4>();
        arrive();
    }

    /* Nothing new is asked for before the arrival, which may wait for all that is under way. */
    __device__ __forceinline__ void ready(int t)
    {
        mdm_gate_wait(gate, t % 2);
        mdm_copy_wait<STAGES - 5>();
        arrive();
        copy(t + STAGES - 3);
    }
};

/* A rest's rows; the groups of the first SHARES warps take turns at tiles. */
template <int GROUPS>
static __device__ __forceinline__ void attend_rest(ring<GROUPS> &r, const mdm_attention &job,
                                                   const mdm_attention_head<mdm_bf16> &h, const mdm_bf16 *q, int rows,
                                                   float scale)
{
    const int warp = threadIdx.x / MDM_WARP, row = warp % MDM_GROUP_WARPS * MDM_ROWS;
    mdm_group_state a;

    for (int t = 0; t * MDM_TILE < r.n; t++) {
        const int there = r.n - t * MDM_TILE - row;

        r.ready(t);
        if (t == 0)
            mdm_group_start(a, q, 0);
        if (warp / MDM_GROUP_WARPS == t % (SHARES / MDM_GROUP_WARPS) && there > 0)
            mdm_rest_attend(a, r.k(t) + row * 64, r.v(t) + row * 64, there, scale);
    }
    __syncthreads(); /* nobody reads tiles any more */
    if (warp < SHARES)
        mdm_rest_put((float *)r.stages + warp * rows * MDM_SHARE, a, rows);
    __syncthreads();
    mdm_rest_meet((const float *)r.stages, SHARES, rows, job, h);
}

#endif

template <int GROUPS>
static __global__ void __launch_bounds__(GROUPS *MDM_GROUP_THREADS, 4 / GROUPS)
    forward(mdm_attention job, float scale)
{
#if MDM_HAS_GROUPS
    MDM_CUDA_SHARED(mdm_bf16, shared);
    enum { THREADS = GROUPS * MDM_GROUP_THREADS, ROWS = GROUPS * MDM_GROUP_ROWS };
    const mdm_units units = mdm_find_units(job.n);
    const int blocks = (units.whole + GROUPS - 1) / GROUPS, all = blocks + (units.rest > 0);
    const int block = blockIdx.x % all, rest = block == blocks, warp = threadIdx.x / MDM_WARP;
    const int first = rest ? units.whole * MDM_GROUP_ROWS : block * ROWS, own = warp * MDM_ROWS;
    mdm_bf16 *const q = mdm_group_align(shared);
    const mdm_attention_head<mdm_bf16> h = mdm_attention_find<mdm_bf16>(job, blockIdx.x / all);
    ring<GROUPS> r;
    mdm_group_state a;

    r.mover = mdm_find_mover(h.step, (int)job.width);
    r.next = h.k;
    r.dim = job.dim;
    r.stages = q + ROWS * 64;
    r.gate = (uint64_t *)(r.stages + r.STAGES * STAGE); /* 128 bytes are left of MDM_GROUP_ALIGN */
    r.n = (int)job.n;
    if (threadIdx.x == 0)
        mdm_gate_make(r.gate, THREADS / MDM_WARP);
    __syncthreads();
    for (int i = 0; i < (rest ? 1 : GROUPS); i++)
        mdm_move<THREADS>(r.mover, q + i * MDM_UNIT, h.q + (first + i * MDM_GROUP_ROWS) * h.step,
                          r.n - first - i * MDM_GROUP_ROWS, rest ? (int)MDM_ROWS : (int)MDM_GROUP_ROWS);
    r.begin();
    if (rest) {
        attend_rest(r, job, h, q, units.rest, scale);
        return;
    }
    if (block * GROUPS + warp / MDM_GROUP_WARPS >= units.whole) { /* a rest's rows are not its */
        for (int t = 0; t * MDM_TILE < r.n; t++)
            r.ready(t);
        return;
    }
    mdm_gate_wait(r.gate, 0);
    mdm_group_start(a, q, own);
    mdm_group_attend(a, r, r.n, scale);
    mdm_group_finish(a, job, mdm_attention_find<mdm_bf16>(job, blockIdx.x / all), first + own, q + own * 64);
#endif
}

template <int GROUPS> static constexpr size_t count_bytes(void)
{
    return (GROUPS * MDM_UNIT + count_stages(GROUPS) * STAGE) * sizeof(mdm_bf16) + MDM_GROUP_ALIGN;
}

int mdm_attention_group_long_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", forward<2>, count_bytes<2>()));
    return mdm_cuda_allow_shared(d, "attention", forward<4>, count_bytes<4>());
}

template <int GROUPS> static int launch(struct mdm_cuda *d, const mdm_attention *a)
{
    const mdm_units units = mdm_find_units(a->n);
    const int64_t blocks = mdm_cuda_pieces(units.whole, GROUPS) + (units.rest > 0);

    return mdm_cuda_launch(d, "attention", forward<GROUPS>, dim3((unsigned)(a->batch * a->heads * blocks)),
                           GROUPS * MDM_GROUP_THREADS, count_bytes<GROUPS>(), *a,
                           (float)(MDM_LOG2_E / sqrt((double)a->width)));
}

enum { FILL = 2 }; /* blocks that a processor has to have for those of four units */

/* Blocks of four units read keys half as often, where there are enough of them for all processors. */
int mdm_attention_group_long(struct mdm_cuda *d, const mdm_attention *a)
{
    const int64_t blocks = a->batch * a->heads * mdm_cuda_pieces(mdm_find_units(a->n).whole, 4);

    return blocks >= FILL * d->processors ? launch<4>(d, a) : launch<2>(d, a);
}
