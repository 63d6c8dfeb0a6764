/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mlp_product: how a tile of 128 rows and 256 columns comes to be. A block has one warp that asks for what products
 * need, and two warpgroups that have 64 rows each; a cluster has two blocks with the same columns, each of which asks
 * for half of b on behalf of both.
 *
 * The ring. Slot i % SLOTS holds the i-th 64 of k, counted on over all tiles of a block. `full` of a slot counts one
 * arrival, the asking thread's, and all the slot's bytes, of which the other block's thread sends some; they may come
 * before they are announced, but not before this block's warps have left the slot, because both threads wait for
 * `empty`, where the 8 warps of both blocks arrive. So the k-th filling is over when `full` has ended phase k, and
 * may be replaced when `empty` has: who fills waits for the phase before, which for the first filling counts as over.
 *
 * The warpgroups begin some slots apart, and stay apart: while one finishes its tile the other has the tensor cores.
 */
#ifndef MASKDM_BACKEND_CUDA_MLP_PRODUCT_TILE_CUH
#define MASKDM_BACKEND_CUDA_MLP_PRODUCT_TILE_CUH

#include "backend/cuda/mlp_product_ring.cuh"

enum {
    MDM_MLP_ROWS = 128,
    MDM_MLP_COLUMNS = 256,
    MDM_MLP_DEPTH = 64,
    MDM_MLP_SLOTS = 4,
    MDM_MLP_CLUSTER = 2,
    MDM_MLP_GROUPS = 2, /* with products */
    MDM_MLP_WARPS = MDM_MLP_GROUPS * MDM_GROUP_WARPS,
    MDM_MLP_THREADS = (1 + MDM_MLP_GROUPS) * MDM_GROUP_THREADS,
    MDM_MLP_PARTS = MDM_MLP_COLUMNS / 64, /* of 64 columns, in which a tile is finished */
    MDM_MLP_A = MDM_MLP_ROWS * MDM_MLP_DEPTH,
    MDM_MLP_B = MDM_MLP_COLUMNS * MDM_MLP_DEPTH,
    MDM_MLP_ROOM = MDM_ROWS * 64, /* of a warp's 16 rows */
    MDM_MLP_SLOT_BYTES = (MDM_MLP_A + MDM_MLP_B) * sizeof(mdm_bf16),
    MDM_MLP_AHEAD = 2 /* slots that one warpgroup is ahead of the other */
};

/* Numbers of barriers; of the first warpgroup with products. */
enum { MDM_MLP_MEET_AHEAD = 1, MDM_MLP_MEET_GROUP = 2 };

struct mdm_mlp_job {
    CUtensorMap a, b, pre, y; /* of tiles 128 x 64; 128 x 64, or 64 x 64 where b's rows are summed over; 16 x 64 */
    int m, n, depth;          /* depth: slots of a tile */
    int across, units;        /* units of two tiles, one below the other: beside each other, in all */
    int keep;                 /* pre, forward */
    const mdm_bf16 *bias;
    float *parts; /* [ceil(m/64),n] */
};

struct mdm_mlp_shared {
    mdm_bf16 a[MDM_MLP_SLOTS][MDM_MLP_A], b[MDM_MLP_SLOTS][MDM_MLP_B], room[2][MDM_MLP_WARPS][MDM_MLP_ROOM];
    uint64_t full[MDM_MLP_SLOTS], empty[MDM_MLP_SLOTS], ready[2][MDM_MLP_WARPS];
};

enum { MDM_MLP_BYTES = sizeof(struct mdm_mlp_shared) + MDM_GROUP_ALIGN };
static_assert(MDM_MLP_BYTES <= 227 * 1024, "as much as a block may have");

int mdm_mlp_allow(struct mdm_cuda *d);
int mdm_mlp_launch(struct mdm_cuda *d, const struct mdm_mlp_job *job, int backward);

#if MDM_HAS_RING

/* The next slot, and the parity of its phase. */
struct mdm_mlp_turn {
    int slot;
    unsigned parity;
};

static __device__ __forceinline__ void mdm_mlp_turn_step(mdm_mlp_turn &r)
{
    r.slot = r.slot + 1 == MDM_MLP_SLOTS ? 0 : r.slot + 1;
    r.parity ^= r.slot == 0;
}

/* Where this block's tile of a unit begins; units that follow each other share their rows of a. */
struct mdm_mlp_place {
    int row, column;
};

static __device__ __forceinline__ mdm_mlp_place mdm_mlp_find(const mdm_mlp_job &job, int unit, unsigned rank)
{
    return {(unit / job.across * MDM_MLP_CLUSTER + (int)rank) * MDM_MLP_ROWS, unit % job.across * MDM_MLP_COLUMNS};
}

static __device__ __forceinline__ int mdm_mlp_first(void)
{
    return blockIdx.x / MDM_MLP_CLUSTER;
}

static __device__ __forceinline__ int mdm_mlp_step(void)
{
    return gridDim.x / MDM_MLP_CLUSTER;
}

/* One thread; all blocks of a cluster meet afterwards. */
static __device__ __forceinline__ void mdm_mlp_begin(mdm_mlp_shared *s)
{
    for (int i = 0; i < MDM_MLP_SLOTS; i++) {
        mdm_gate_make(&s->full[i], 1);
        mdm_gate_make(&s->empty[i], MDM_MLP_CLUSTER * MDM_MLP_WARPS);
    }
    for (int i = 0; i < MDM_MLP_WARPS; i++) {
        mdm_gate_make(&s->ready[0][i], 1);
        mdm_gate_make(&s->ready[1][i], 1);
    }
    mdm_gates_made();
}

/* One thread asks for all that this block's tiles need. */
template <int SUMMED>
static __device__ __forceinline__ void mdm_mlp_feed(const mdm_mlp_job &job, mdm_mlp_shared *s, unsigned rank)
{
    enum { HALF = MDM_MLP_COLUMNS / MDM_MLP_CLUSTER, EVERY = (1 << MDM_MLP_CLUSTER) - 1, SLAB = 64 * MDM_MLP_DEPTH };
    mdm_mlp_turn r = {0, 0};

    for (int unit = mdm_mlp_first(); unit < job.units; unit += mdm_mlp_step()) {
        const mdm_mlp_place at = mdm_mlp_find(job, unit, rank);
        const int column = at.column + (int)rank * HALF;

        for (int i = 0; i < job.depth; i++) {
            mdm_bf16 *const b = s->b[r.slot] + rank * HALF * MDM_MLP_DEPTH;
            uint64_t *const full = &s->full[r.slot];

            mdm_gate_wait(&s->empty[r.slot], r.parity ^ 1);
            mdm_gate_announce(full, MDM_MLP_SLOT_BYTES);
            mdm_tile_load(&job.a, s->a[r.slot], full, i * MDM_MLP_DEPTH, at.row);
            if (SUMMED)
                for (int j = 0; j < HALF / 64; j++)
                    mdm_tile_spread(&job.b, b + j * SLAB, full, column + j * 64, i * MDM_MLP_DEPTH, EVERY);
            else
                mdm_tile_spread(&job.b, b, full, i * MDM_MLP_DEPTH, column, EVERY);
            mdm_mlp_turn_step(r);
        }
    }
}

/* This warp has no product any more that reads the slot: one lane says so to each block. */
static __device__ __forceinline__ void mdm_mlp_leave(mdm_mlp_shared *s, int slot)
{
    const unsigned lane = threadIdx.x % MDM_WARP;

    if (lane < MDM_MLP_CLUSTER)
        mdm_gate_arrive_in(&s->empty[slot], lane);
    __syncwarp();
}

/* Where products find a factor: address, 1024 bytes from 8 rows to the next, rows of 128 bytes turned; where rows are
 * summed over, `apart` bytes from a tile's 64 columns to the next 64. In a cluster the block's rank stands above the
 * address. */
static __device__ __forceinline__ uint64_t mdm_mlp_describe(const mdm_bf16 *tile, int apart)
{
    const uint64_t at = (mdm_shared_at(tile) & 0x3ffff) >> 4, step = MDM_GROUP_ALIGN >> 4;

    return at | (uint64_t)(apart >> 4) << 16 | step << 32 | (uint64_t)1 << 62;
}

/* d = the sums of a warpgroup's 64 rows; `aside` is called while the products of slot i run. */
template <int SUMMED, class F>
static __device__ __forceinline__ void mdm_mlp_multiply(float (&d)[32][4], const mdm_mlp_job &job, mdm_mlp_shared *s,
                                                        mdm_mlp_turn &r, int group, F aside)
{
    enum { ALIGN = MDM_GROUP_ALIGN, SLAB = 64 * MDM_MLP_DEPTH * sizeof(mdm_bf16) };
    int last = 0;

    for (int i = 0; i < job.depth; i++) {
        const mdm_bf16 *const a = s->a[r.slot] + group * MDM_GROUP_ROWS * MDM_MLP_DEPTH, *const b = s->b[r.slot];

        mdm_gate_wait(&s->full[r.slot], r.parity);
        mdm_group_begin();
#    pragma unroll
        for (int part = 0; part < MDM_MLP_DEPTH / 16; part++)
            mdm_wide_product<SUMMED>(d, mdm_mlp_describe(a + 16 * part, ALIGN),
                                     mdm_mlp_describe(b + 16 * part * (SUMMED ? 64 : 1), SUMMED ? SLAB : ALIGN),
                                     i > 0 || part > 0);
        mdm_group_close();
        if (i > 0) {
            mdm_group_wait<1>();
            mdm_mlp_leave(s, last);
        }
        aside(i);
        last = r.slot;
        mdm_mlp_turn_step(r);
    }
    mdm_group_wait<0>();
    mdm_group_hold(d);
    mdm_mlp_leave(s, last);
}

/* A warp's 16 rows and 64 columns to its room. */
static __device__ __forceinline__ void mdm_mlp_put(mdm_bf16 *room, const unsigned (&p)[4][4])
{
#    pragma unroll
    for (int part = 0; part < 4; part++)
        mdm_put_left(room, p[part], part);
    mdm_group_publish();
}

/* One lane: the room's rows to their place in the matrix, if they have one. */
static __device__ __forceinline__ void mdm_mlp_send(const mdm_mlp_job &job, const CUtensorMap *map,
                                                    const mdm_bf16 *room, int row, int column)
{
    if (row < job.m && column < job.n)
        mdm_tile_store(map, room, column, row);
    mdm_stores_close();
}

#endif
#endif
