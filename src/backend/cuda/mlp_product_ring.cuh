/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What sm_90 has for tiles that come by themselves: copies of tiles between global and shared memory (TMA), gates
 * that count their bytes, clusters of blocks, and products 256 columns wide.
 *
 * A tile has 64 bf16 columns, turned as mdm_pack_at<64>() has them. Rows and columns that are not there come as
 * zeros, and count as bytes that have come; they are not written.
 */
#ifndef MASKDM_BACKEND_CUDA_MLP_PRODUCT_RING_CUH
#define MASKDM_BACKEND_CUDA_MLP_PRODUCT_RING_CUH

#include "backend/cuda/attention_group.cuh"
#include "backend/cuda/gate.cuh"

#include <cuda.h>

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#    define MDM_HAS_RING 1
#else
#    define MDM_HAS_RING 0 /* kernels have no bodies, and are not launched */
#endif

#if MDM_HAS_RING

static __device__ __forceinline__ unsigned mdm_shared_at(const void *p)
{
    return (unsigned)__cvta_generic_to_shared(p);
}

/* ---- gates: a phase is also that of bytes that were announced, and ends when all have come ---- */

/* All that were made are seen by the cluster and by copies; before the cluster meets. */
static __device__ __forceinline__ void mdm_gates_made(void)
{
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/* Arrives and announces bytes. */
static __device__ __forceinline__ void mdm_gate_announce(uint64_t *barrier, int bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(mdm_shared_at(barrier)), "r"(bytes)
                 : "memory");
}

/* Arrives at the same barrier of the cluster's block `rank`. */
static __device__ __forceinline__ void mdm_gate_arrive_in(uint64_t *barrier, unsigned rank)
{
    asm volatile("{.reg .b32 at;\n"
                 "mapa.shared::cluster.u32 at, %0, %1;\n"
                 "mbarrier.arrive.shared::cluster.b64 _, [at];}" ::"r"(mdm_shared_at(barrier)),
                 "r"(rank)
                 : "memory");
}

/* ---- barriers of some of a block's warps, by number; 0 is __syncthreads() ---- */

static __device__ __forceinline__ void mdm_meet(int number, int threads)
{
    asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

/* Does not wait. */
static __device__ __forceinline__ void mdm_let_go(int number, int threads)
{
    asm volatile("bar.arrive %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

/* ---- clusters ---- */

static __device__ __forceinline__ unsigned mdm_cluster_rank(void)
{
    unsigned rank;

    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

/* All warps of all blocks, each with all its lanes. */
static __device__ __forceinline__ void mdm_cluster_meet(void)
{
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}

/* ---- tiles, by one thread ---- */

static __device__ __forceinline__ void mdm_tile_load(const CUtensorMap *map, mdm_bf16 *tile, uint64_t *barrier,
                                                     int column, int row)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], "
                 "[%2];" ::"r"(mdm_shared_at(tile)),
                 "l"(map), "r"(mdm_shared_at(barrier)), "r"(column), "r"(row)
                 : "memory");
}

/* To the same place in every block of the cluster that `blocks` has a bit of, and each one's own barrier. */
static __device__ __forceinline__ void mdm_tile_spread(const CUtensorMap *map, mdm_bf16 *tile, uint64_t *barrier,
                                                       int column, int row, unsigned blocks)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
                 "[%0], [%1, {%4, %5}], [%2], %3;" ::"r"(mdm_shared_at(tile)),
                 "l"(map), "r"(mdm_shared_at(barrier)), "h"((uint16_t)blocks), "r"(column), "r"(row)
                 : "memory");
}

/* A copy that will be asked for finds its bytes in the cache. */
static __device__ __forceinline__ void mdm_tile_prefetch(const CUtensorMap *map, int column, int row)
{
    asm volatile("cp.async.bulk.prefetch.tensor.2d.L2.global [%0, {%1, %2}];" ::"l"(map), "r"(column), "r"(row)
                 : "memory");
}

/* Who wrote the tile has called mdm_group_publish(), and met with this thread since. */
static __device__ __forceinline__ void mdm_tile_store(const CUtensorMap *map, const mdm_bf16 *tile, int column,
                                                      int row)
{
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(map),
                 "r"(mdm_shared_at(tile)), "r"(column), "r"(row)
                 : "memory");
}

/* Closes a group of this thread's stores, which may be empty. */
static __device__ __forceinline__ void mdm_stores_close(void)
{
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}

/* Until the tiles of all this thread's groups but the last N may be written again. */
template <int N> static __device__ __forceinline__ void mdm_stores_wait(void)
{
    asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(N) : "memory");
}

/* ---- products ---- */

/* 16 rows and 16 columns to a tile, as mdm_left() reads them. */
static __device__ __forceinline__ void mdm_put_left(mdm_bf16 *tile, const unsigned a[4], int part)
{
    const int lane = threadIdx.x % MDM_WARP;

    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(
                     mdm_shared_at(tile + mdm_pack_at<64>(lane % 16, 2 * part + lane / 16))),
                 "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3])
                 : "memory");
}

#    define MDM_TEN(p) "%" p "0, %" p "1, %" p "2, %" p "3, %" p "4, %" p "5, %" p "6, %" p "7, %" p "8, %" p "9, "
#    define MDM_FOUR(d) "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
#    define MDM_SIXTEEN(d, i) MDM_FOUR(d[i]), MDM_FOUR(d[i + 1]), MDM_FOUR(d[i + 2]), MDM_FOUR(d[i + 3])

/* d = or += a b of 16 columns of a's 64 rows, both in shared memory; SUMMED: b's rows are summed over. */
template <int SUMMED>
static __device__ __forceinline__ void mdm_wide_product(float (&d)[32][4], uint64_t a, uint64_t b, int keep)
{
    asm volatile("{.reg .pred p;\n"
                 "setp.ne.b32 p, %130, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 "
                 "{" MDM_TEN("") MDM_TEN("1") MDM_TEN("2") MDM_TEN("3") MDM_TEN("4") MDM_TEN("5") MDM_TEN("6")
                     MDM_TEN("7") MDM_TEN("8") MDM_TEN("9") MDM_TEN("10") MDM_TEN(
                         "11") "%120, %121, %122, %123, %124, %125, %126, %127}, %128, %129, p, 1, 1, 0, %131;}"
                 : MDM_SIXTEEN(d, 0), MDM_SIXTEEN(d, 4), MDM_SIXTEEN(d, 8), MDM_SIXTEEN(d, 12), MDM_SIXTEEN(d, 16),
                   MDM_SIXTEEN(d, 20), MDM_SIXTEEN(d, 24), MDM_SIXTEEN(d, 28)
                 : "l"(a), "l"(b), "r"(keep), "n"(SUMMED));
}

#    undef MDM_TEN
#    undef MDM_FOUR
#    undef MDM_SIXTEEN

#endif
#endif
