/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A ring of stages in shared memory: a warpgroup fills them, one after the other, and two others go through them each
 * at its own pace, so that one multiplies while the other takes exponentials. All warps of both wait for every stage
 * and release it, in any order; a stage is filled again when all have.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_GROUP_RING_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_GROUP_RING_CUH

#include "backend/cuda/attention_group_backward.cuh"
#include "backend/cuda/gate.cuh"

/* Stages; how many are on their way when the first of them is waited for; warpgroups that go through them. */
enum {
    MDM_RING_STAGES = 10,
    MDM_RING_LAG = 4,
    MDM_RING_GROUPS = 2,
    MDM_RING_THREADS = (MDM_RING_GROUPS + 1) * MDM_GROUP_THREADS,
    MDM_RING_WARPS = MDM_RING_GROUPS * MDM_GROUP_WARPS,
    MDM_RING_GATES = 2 * MDM_RING_STAGES + MDM_RING_GROUPS,
    MDM_RING_BYTES = MDM_RING_STAGES * (2 * MDM_TILE * 64 * sizeof(mdm_bf16) + MDM_TILE * sizeof(float2)) +
                     MDM_RING_GATES * sizeof(uint64_t) + MDM_RING_WARPS * MDM_ROWS * 64 * sizeof(float)
};
static_assert(MDM_RING_GATES % 2 == 0, "rooms begin at packs");
static_assert(MDM_RING_LAG + 4 <= MDM_RING_STAGES, "who goes through stages holds up to three of them");

#if MDM_HAS_GROUPS

/* One pointer, for registers are short: tiles, pairs, gates that a stage is full at and empty, and where the warps of
 * a warpgroup meet. */
struct mdm_ring {
    mdm_bf16 *tiles;

    __device__ __forceinline__ float2 *pair(int slot) const
    {
        return (float2 *)(tiles + MDM_RING_STAGES * 2 * MDM_TILE * 64) + slot * MDM_TILE;
    }

    __device__ __forceinline__ uint64_t *full(int slot) const
    {
        return (uint64_t *)pair(MDM_RING_STAGES) + slot;
    }

    __device__ __forceinline__ uint64_t *empty(int slot) const
    {
        return full(MDM_RING_STAGES + slot);
    }

    __device__ __forceinline__ uint64_t *meet(int group) const
    {
        return empty(MDM_RING_STAGES + group);
    }

    /* 16 rows of float of each warp. */
    __device__ __forceinline__ float *room(int warp) const
    {
        return (float *)meet(MDM_RING_GROUPS) + warp * MDM_ROWS * 64;
    }
};

/* The next stage, and whether its phase is odd. */
struct mdm_ring_place {
    int slot, odd;

    __device__ __forceinline__ void step(void)
    {
        if (++slot == MDM_RING_STAGES) {
            slot = 0;
            odd ^= 1;
        }
    }
};

static __device__ __forceinline__ void mdm_ring_make(const mdm_ring &r)
{
    for (int i = 0; i < MDM_RING_STAGES; i++) {
        mdm_gate_make(r.full(i), MDM_GROUP_WARPS);
        mdm_gate_make(r.empty(i), MDM_RING_WARPS);
    }
    for (int i = 0; i < MDM_RING_GROUPS; i++)
        mdm_gate_make(r.meet(i), MDM_GROUP_WARPS);
}

static __device__ __forceinline__ mdm_stage mdm_ring_stage(const mdm_ring &r, int slot)
{
    mdm_bf16 *const first = r.tiles + slot * 2 * MDM_TILE * 64;

    return {first, first + MDM_TILE * 64, r.pair(slot)};
}

/* Of a warp: what its lanes did before is done. */
static __device__ __forceinline__ void mdm_ring_arrive(uint64_t *gate)
{
    __syncwarp();
    if (threadIdx.x % MDM_WARP == 0)
        mdm_gate_arrive(gate);
}

static __device__ __forceinline__ void mdm_ring_wait(uint64_t *gate, int odd)
{
    mdm_gate_wait(gate, odd);
    __syncwarp();
}

/* One who goes through the stages. */
struct mdm_ring_reader {
    mdm_ring r;
    mdm_ring_place next, behind; /* to come; the first that is not released */
    int odd;                     /* meeting */

    __device__ __forceinline__ mdm_stage take(void)
    {
        const int slot = next.slot;

        mdm_ring_wait(r.full(slot), next.odd);
        next.step();
        return mdm_ring_stage(r, slot);
    }

    __device__ __forceinline__ void release(int slot)
    {
        mdm_ring_arrive(r.empty(slot));
    }

    __device__ __forceinline__ void release(void)
    {
        release(behind.slot);
        behind.step();
    }

    /* All warps of a warpgroup. */
    __device__ __forceinline__ void meet(void)
    {
        uint64_t *const gate = r.meet(threadIdx.x / MDM_GROUP_THREADS);

        mdm_ring_arrive(gate);
        mdm_ring_wait(gate, odd);
        odd ^= 1;
    }
};

/* ---- who fills them ---- */

/* One value to shared memory, as mdm_copy_pack. */
static __device__ __forceinline__ void mdm_copy_float(float *shared, const float *global)
{
#    ifdef MDM_CUDA_EMULATED
    mdm_emulated_copy_async(shared, global, 4, 4);
#    else
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"((unsigned)__cvta_generic_to_shared(shared)),
                 "l"(global)
                 : "memory");
#    endif
}

/* Rows of queries or of keys, and where this thread's packs begin: every 16th row has one. */
struct mdm_ring_source {
    const mdm_bf16 *first, *second;
    int64_t first_step, second_step;
    const float2 *pair; /* of queries, or NULL */
    int there;          /* this thread's columns are */
};

struct mdm_ring_writer {
    mdm_ring r;
    mdm_ring_place next, behind; /* to fill; to announce */
    int made;

    /* The first of the stages that are on their way has come. */
    template <int LAG> __device__ __forceinline__ void announce(void)
    {
        mdm_copy_wait<LAG>();
        mdm_group_publish();
        mdm_ring_arrive(r.full(behind.slot));
        behind.step();
    }

    static __device__ __forceinline__ void copy(mdm_bf16 *tile, const mdm_bf16 *p, int64_t step, int from, int there,
                                                int count, int column)
    {
        const int thread = threadIdx.x % MDM_GROUP_THREADS, row = thread / 8;
        const mdm_bf16 *at = p + (from + row) * step;

        tile += mdm_pack_at<64>(row, thread % 8);
#    pragma unroll
        for (int i = 0; i < MDM_TILE; i += MDM_ROWS, at += MDM_ROWS * step)
            if (i < count) {
                const int is = row + i < there && column;

                mdm_copy_pack(tile + i * 64, is ? at : p, is);
            }
    }

    /* `there` rows from row `from` on, and zeros up to `count`. Pairs lie side by side, or apart. */
    __device__ __forceinline__ void fill(const mdm_ring_source &s, int from, int there, int count, int apart)
    {
        const int thread = threadIdx.x % MDM_GROUP_THREADS;
        const mdm_stage t = mdm_ring_stage(r, next.slot);

        mdm_ring_wait(r.empty(next.slot), !next.odd);
        copy(t.first, s.first, s.first_step, from, there, count, s.there);
        copy(t.second, s.second, s.second_step, from, there, count, s.there);
        if (s.pair && apart)
            mdm_copy_float((float *)t.pair + thread % 2 * MDM_TILE + thread / 2,
                           (const float *)(s.pair + from) + thread);
        else if (s.pair && 2 * thread < mdm_whole_rows(there))
            mdm_copy_pack(t.pair + 2 * thread, s.pair + from + 2 * thread, 1);
        else if (s.pair && 2 * thread < count)
            t.pair[2 * thread] = t.pair[2 * thread + 1] = {INFINITY, 0.0f};
        mdm_copy_close();
        next.step();
        if (++made > MDM_RING_LAG)
            announce<MDM_RING_LAG>();
    }

    __device__ __forceinline__ void end(void)
    {
        for (int i = made < MDM_RING_LAG ? made : (int)MDM_RING_LAG; i > 0; i--)
            announce<0>();
    }
};

#endif
#endif
