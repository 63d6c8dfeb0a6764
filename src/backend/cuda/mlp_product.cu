/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mlp_product: how the two forms finish a tile, and the kernel.
 *
 * A warp finishes its 16 rows 64 columns at a time, in a room of shared memory that a copy empties beside the work.
 * It has two rooms, which take turns.
 */
#ifndef MDM_CUDA_EMULATED
#    include "backend/cuda/curve.cuh"
#    include "backend/cuda/mlp_product_tile.cuh"

#    if MDM_HAS_RING

/* ---- forward ---- */

/* Sums with their bias, rounded, as mdm_left() has them. */
static __device__ __forceinline__ void add_bias(unsigned (&p)[4][4], const float (*d)[4], const mdm_mlp_job &job,
                                                int column)
{
    const int own = column + threadIdx.x % 4 * 2;
    unsigned bias[8] = {};

    if (job.bias && column < job.n)
#        pragma unroll
        for (int j = 0; j < 8; j++)
            bias[j] = __ldg((const unsigned *)(job.bias + own + 8 * j));
#        pragma unroll
    for (int j = 0; j < 8; j++) {
        const float low = mdm_unpair(bias[j], 0), high = mdm_unpair(bias[j], 1);

        p[j / 2][j % 2 * 2] = mdm_pair(d[j][0] + low, d[j][1] + high);
        p[j / 2][j % 2 * 2 + 1] = mdm_pair(d[j][2] + low, d[j][3] + high);
    }
}

/* The room that was used before the last is free: puts there what goes to the matrix. */
static __device__ __forceinline__ void give(const mdm_mlp_job &job, const CUtensorMap *map, mdm_bf16 *room,
                                            const unsigned (&p)[4][4], int row, int column)
{
    const int first = threadIdx.x % MDM_WARP == 0;

    if (first)
        mdm_stores_wait<1>();
    __syncwarp();
    mdm_mlp_put(room, p);
    __syncwarp();
    if (first)
        mdm_mlp_send(job, map, room, row, column);
    __syncwarp();
}

static __device__ __forceinline__ void finish_forward(const float (&d)[32][4], const mdm_mlp_job &job,
                                                      mdm_mlp_shared *s, int warp, int row, int column)
{
    int turn = 0;

#        pragma unroll
    for (int c = 0; c < MDM_MLP_PARTS; c++) {
        unsigned p[4][4];

        add_bias(p, d + 8 * c, job, column + 64 * c);
        if (job.keep) {
            give(job, &job.pre, s->room[turn][warp], p, row, column + 64 * c);
            turn ^= 1;
        }
#        pragma unroll
        for (int i = 0; i < 16; i++) {
            unsigned &x = p[i / 4][i % 4];

            x = mdm_pair(mdm_gelu<mdm_bf16>::value(mdm_unpair(x, 0)), mdm_gelu<mdm_bf16>::value(mdm_unpair(x, 1)));
        }
        give(job, &job.y, s->room[turn][warp], p, row, column + 64 * c);
        turn ^= 1;
    }
}

/* ---- backward ---- */

enum { ROOM_BYTES = MDM_MLP_ROOM * sizeof(mdm_bf16) };

/* Part c of h to the room whose turn it is. Nobody reads there any more: the warpgroup has met since, and this lane's
 * stores from there are waited for. */
static __device__ __forceinline__ void ask(const mdm_mlp_job &job, mdm_mlp_shared *s, int warp, int c, int row,
                                           int column)
{
    uint64_t *const ready = &s->ready[c % 2][warp];

    mdm_gate_announce(ready, ROOM_BYTES);
    mdm_tile_load(&job.pre, s->room[c % 2][warp], ready, column + 64 * c, row);
}

/* While a tile's first products run, which is long after the last tile's stores have begun. */
static __device__ __forceinline__ void ask_first(const mdm_mlp_job &job, mdm_mlp_shared *s, int warp, int row,
                                                 int column)
{
    mdm_meet(MDM_MLP_MEET_GROUP + warp / MDM_GROUP_WARPS, MDM_GROUP_THREADS);
    if (threadIdx.x % MDM_WARP == 0) {
        mdm_stores_wait<0>();
        ask(job, s, warp, 0, row, column);
        ask(job, s, warp, 1, row, column);
        for (int c = 2; c < MDM_MLP_PARTS; c++)
            if (row < job.m && column + 64 * c < job.n)
                mdm_tile_prefetch(&job.pre, column + 64 * c, row);
    }
    __syncwarp();
}

/* Two products times the slopes at h; rounded before, as a product alone is. */
static __device__ __forceinline__ unsigned bend(unsigned h, float low, float high)
{
    const unsigned g = mdm_pair(low, high);

    return mdm_pair(mdm_unpair(g, 0) * mdm_gelu<mdm_bf16>::slope(mdm_unpair(h, 0)),
                    mdm_unpair(g, 1) * mdm_gelu<mdm_bf16>::slope(mdm_unpair(h, 1)));
}

/* A warp has 16 columns of the warpgroup's 64 rows in their rooms: as products with ones, whose rows are all the
 * same, so that the lanes of the first two rows keep one product each. Rows that are not there are zeros. */
static __device__ __forceinline__ void sum_columns(const mdm_mlp_job &job, const mdm_mlp_shared *s, int warp, int c,
                                                   int row, int column)
{
    const unsigned one = 0x3f803f80u, ones[4] = {one, one, one, one};
    const int lane = threadIdx.x % MDM_WARP, part = warp % MDM_GROUP_WARPS, first = warp - part;
    const int at = column + 64 * c + 16 * part + 2 * lane;
    float left[4] = {}, right[4] = {};

#        pragma unroll
    for (int i = 0; i < MDM_GROUP_WARPS; i++) {
        unsigned b[4];

        mdm_right_summed<64>(b, s->room[c % 2][first + i], 0, part);
        mdm_mma(left, ones, b);
        mdm_mma(right, ones, b + 2);
    }
    if (lane < 8 && row < job.m && at < job.n)
        *(float2 *)(job.parts + (int64_t)(row / MDM_GROUP_ROWS) * job.n + at) =
            lane < 4 ? make_float2(left[0], left[1]) : make_float2(right[0], right[1]);
}

/* row: the warp's first. A room is loaded twice for every tile, so that the parities begin anew with each. */
static __device__ __forceinline__ void finish_backward(const float (&d)[32][4], const mdm_mlp_job &job,
                                                       mdm_mlp_shared *s, int warp, int row, int column)
{
    const int meet = MDM_MLP_MEET_GROUP + warp / MDM_GROUP_WARPS, first = threadIdx.x % MDM_WARP == 0;
    const int top = row - warp % MDM_GROUP_WARPS * MDM_ROWS;

#        pragma unroll
    for (int c = 0; c < MDM_MLP_PARTS; c++) {
        mdm_bf16 *const room = s->room[c % 2][warp];
        unsigned p[4][4];

        mdm_gate_wait(&s->ready[c % 2][warp], c / 2);
#        pragma unroll
        for (int part = 0; part < 4; part++)
            mdm_left<64>(p[part], room, 0, part);
#        pragma unroll
        for (int i = 0; i < 16; i++) {
            const float *const at = d[8 * c + i / 2] + i % 2 * 2;

            p[i / 4][i % 4] = bend(p[i / 4][i % 4], at[0], at[1]);
            if (i == 7 && c > 0 && c + 1 < MDM_MLP_PARTS) {
                mdm_meet(meet, MDM_GROUP_THREADS); /* nobody sums from the other room any more */
                if (first) {
                    mdm_stores_wait<0>();
                    ask(job, s, warp, c + 1, row, column);
                }
                __syncwarp();
            }
        }
        __syncwarp();
        mdm_mlp_put(room, p);
        mdm_meet(meet, MDM_GROUP_THREADS);
        if (first)
            mdm_mlp_send(job, &job.y, room, row, column + 64 * c);
        __syncwarp();
        if (job.parts)
            sum_columns(job, s, warp, c, top, column);
    }
}

/* ---- both ---- */

/* The tiles of a warp, one of eight. */
template <int BACKWARD>
static __device__ __forceinline__ void work(const mdm_mlp_job &job, mdm_mlp_shared *s, int warp, unsigned rank)
{
    const int group = warp / MDM_GROUP_WARPS, both = MDM_MLP_GROUPS * MDM_GROUP_THREADS;
    int ahead = job.depth > MDM_MLP_AHEAD ? (int)MDM_MLP_AHEAD : job.depth - 1;
    mdm_mlp_turn r = {0, 0};

    if (group > 0) {
        mdm_meet(MDM_MLP_MEET_AHEAD, both);
        ahead = -1;
    }
    for (int unit = mdm_mlp_first(); unit < job.units; unit += mdm_mlp_step()) {
        const mdm_mlp_place at = mdm_mlp_find(job, unit, rank);
        const int row = at.row + warp * MDM_ROWS;
        float d[32][4];

        mdm_mlp_multiply<BACKWARD>(d, job, s, r, group, [&](int i) {
            if (BACKWARD && i == 0)
                ask_first(job, s, warp, row, at.column);
            if (i == ahead)
                mdm_let_go(MDM_MLP_MEET_AHEAD, both);
        });
        ahead = -1;
        if (BACKWARD)
            finish_backward(d, job, s, warp, row, at.column);
        else
            finish_forward(d, job, s, warp, row, at.column);
    }
}

#    endif

/* Older devices have none, and their compiler no word for them. */
#    if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
#        define CLUSTERS
#    else
#        define CLUSTERS __cluster_dims__(MDM_MLP_CLUSTER, 1, 1)
#    endif

template <int BACKWARD>
static __global__ void CLUSTERS __launch_bounds__(MDM_MLP_THREADS, 1) product(const __grid_constant__ mdm_mlp_job job)
{
#    if MDM_HAS_RING
    MDM_CUDA_SHARED(mdm_bf16, shared);
    mdm_mlp_shared *const s = (mdm_mlp_shared *)mdm_group_align(shared);
    const int warp = threadIdx.x / MDM_WARP;
    const unsigned rank = mdm_cluster_rank();

    if (threadIdx.x == 0)
        mdm_mlp_begin(s);
    __syncwarp();
    mdm_cluster_meet();
    if (warp < MDM_GROUP_WARPS) {
        mdm_group_give_registers<40>();
        if (threadIdx.x == 0)
            mdm_mlp_feed<BACKWARD>(job, s, rank);
    } else {
        mdm_group_take_registers<232>();
        work<BACKWARD>(job, s, warp - MDM_GROUP_WARPS, rank);
        if (threadIdx.x % MDM_WARP == 0)
            mdm_stores_wait<0>();
    }
    __syncwarp();
    mdm_cluster_meet(); /* the other block may still arrive here */
#    endif
}

/* ---- launching ---- */

int mdm_mlp_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "a perceptron's product", product<0>, MDM_MLP_BYTES));
    return mdm_cuda_allow_shared(d, "a perceptron's product", product<1>, MDM_MLP_BYTES);
}

int mdm_mlp_launch(struct mdm_cuda *d, const mdm_mlp_job *job, int backward)
{
    const int most = d->processors / MDM_MLP_CLUSTER, clusters = job->units < most ? job->units : most;
    const dim3 grid((unsigned)(clusters * MDM_MLP_CLUSTER));

    if (backward)
        return mdm_cuda_launch(d, "a perceptron's product", product<1>, grid, MDM_MLP_THREADS, MDM_MLP_BYTES, *job);
    return mdm_cuda_launch(d, "a perceptron's product", product<0>, grid, MDM_MLP_THREADS, MDM_MLP_BYTES, *job);
}

#endif
