/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products of a warpgroup, four warps that begin at a multiple of four, on the tensor cores of sm_90a: 64 rows at
 * once, 16 of each warp, whose left factors and sums lie in registers as those of mma.cuh do, and whose right factors
 * are read from shared memory as the products run. All of a warpgroup come to each of these functions.
 *
 * Tiles are of 64 bf16 columns, turned as mdm_pack_at<64>() has them, which is the hardware's own turn where a tile
 * begins at a multiple of 1024 bytes.
 */
#ifndef MASKDM_BACKEND_CUDA_GROUP_CUH
#define MASKDM_BACKEND_CUDA_GROUP_CUH

#include "backend/cuda/attention_fast.cuh"

#if defined(MDM_CUDA_EMULATED) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#    define MDM_HAS_GROUPS 1
#else
#    define MDM_HAS_GROUPS 0 /* kernels have no bodies, and are not launched */
#endif

enum {
    MDM_GROUP_WARPS = 4,
    MDM_GROUP_THREADS = MDM_GROUP_WARPS * MDM_WARP,
    MDM_GROUP_ROWS = 64,
    MDM_GROUP_ALIGN = 1024
};

#if MDM_HAS_GROUPS

/* Before products, after whatever registers they take or sum onto were written. */
static __device__ __forceinline__ void mdm_group_begin(void)
{
#    ifndef MDM_CUDA_EMULATED
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#    endif
}

/* Closes a batch of products. */
static __device__ __forceinline__ void mdm_group_close(void)
{
#    ifndef MDM_CUDA_EMULATED
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#    endif
}

/* Until all batches but the last N are done. */
template <int N> static __device__ __forceinline__ void mdm_group_wait(void)
{
#    ifndef MDM_CUDA_EMULATED
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
#    endif
}

/* Shared memory that this thread wrote is seen by products; comes before the barrier that others wait at. */
static __device__ __forceinline__ void mdm_group_publish(void)
{
#    ifndef MDM_CUDA_EMULATED
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#    endif
}

/* A warpgroup gives registers back, or waits until it has N. */
template <int N> static __device__ __forceinline__ void mdm_group_give_registers(void)
{
#    ifndef MDM_CUDA_EMULATED
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
#    endif
}

template <int N> static __device__ __forceinline__ void mdm_group_take_registers(void)
{
#    ifndef MDM_CUDA_EMULATED
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
#    endif
}

/* The compiler may not move what it does with these registers past here. */
static __device__ __forceinline__ void mdm_group_hold([[maybe_unused]] float (&d)[2])
{
#    ifndef MDM_CUDA_EMULATED
    asm volatile("" : "+f"(d[0]), "+f"(d[1])::"memory");
#    endif
}

template <int N> static __device__ __forceinline__ void mdm_group_hold([[maybe_unused]] float (&d)[N][4])
{
#    ifndef MDM_CUDA_EMULATED
#        pragma unroll
    for (int i = 0; i < N; i++)
        asm volatile("" : "+f"(d[i][0]), "+f"(d[i][1]), "+f"(d[i][2]), "+f"(d[i][3])::"memory");
#    endif
}

#    ifdef MDM_CUDA_EMULATED

/* d = or += a times the `part`th 16 columns of the tile's N rows from `tile` on, which are the product's columns. */
template <int N>
static inline void mdm_group_dots(float (&d)[N / 8][4], const unsigned a[4], const mdm_bf16 *tile, int part, int keep)
{
    for (int n = 0; n < N / 8; n++)
        for (int c = 0; c < 4 && !keep; c++)
            d[n][c] = 0;
    for (int n = 0; n < N / 16; n++) {
        unsigned b[4];

        mdm_right<64>(b, tile, 16 * n, part);
        mdm_mma(d[2 * n], a, b);
        mdm_mma(d[2 * n + 1], a, b + 2);
    }
}

/* The same with the `part`th 16 columns of the 64 rows from `own` on as a. */
template <int N>
static inline void mdm_group_dots(float (&d)[N / 8][4], const mdm_bf16 *own, const mdm_bf16 *tile, int part, int keep)
{
    unsigned a[4];

    mdm_left<64>(a, own, threadIdx.x / MDM_WARP % MDM_GROUP_WARPS * MDM_ROWS, part);
    mdm_group_dots<N>(d, a, tile, part, keep);
}

/* d += a times the `part`th 16 rows from `tile` on, which are summed over. */
static inline void mdm_group_sums(float (&d)[8][4], const unsigned a[4], const mdm_bf16 *tile, int part = 0)
{
    for (int n = 0; n < 4; n++) {
        unsigned b[4];

        mdm_right_summed<64>(b, tile, MDM_ROWS * part, n);
        mdm_mma(d[2 * n], a, b);
        mdm_mma(d[2 * n + 1], a, b + 2);
    }
}

#    else

/* Where products find a right factor: address, 1024 bytes from 8 rows to the next, rows of 128 bytes turned. Its
 * parts are summed, so that what parts of a tile have in common is made once: addresses are too small to carry. */
static __device__ __forceinline__ uint64_t mdm_group_describe(const mdm_bf16 *tile, int bytes)
{
    const unsigned at = (unsigned)__cvta_generic_to_shared(tile) >> 4, step = MDM_GROUP_ALIGN >> 4;

    return (uint64_t)(step | 1u << 30) << 32 | (at + (step << 16) + (bytes >> 4));
}

#        define MDM_FOUR(d) "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
#        define MDM_TAIL(a) "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3])

#        define MDM_SIXTEEN "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
#        define MDM_THIRTY_TWO                                                                                       \
            MDM_SIXTEEN "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
#        define MDM_EIGHT "{%0, %1, %2, %3, %4, %5, %6, %7}, "
#        define MDM_SUMS_64                                                                                          \
            MDM_FOUR(d[0]), MDM_FOUR(d[1]), MDM_FOUR(d[2]), MDM_FOUR(d[3]), MDM_FOUR(d[4]), MDM_FOUR(d[5]),          \
                MDM_FOUR(d[6]), MDM_FOUR(d[7])

/* Turned: the tile's rows are summed over. */
template <int TURNED>
static __device__ __forceinline__ void mdm_group_product(float (&d)[8][4], const unsigned a[4], uint64_t b, int keep)
{
    asm volatile("{.reg .pred p;\n"
                 "setp.ne.b32 p, %37, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 " MDM_THIRTY_TWO
                 "{%32, %33, %34, %35}, %36, p, 1, 1, %38;}"
                 : MDM_SUMS_64
                 : MDM_TAIL(a), "l"(b), "r"(keep), "n"(TURNED));
}

static __device__ __forceinline__ void mdm_group_product(float (&d)[2][4], const unsigned a[4], uint64_t b, int keep)
{
    asm volatile("{.reg .pred p;\n"
                 "setp.ne.b32 p, %13, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 " MDM_EIGHT
                 "{%8, %9, %10, %11}, %12, p, 1, 1, 0;}"
                 : MDM_FOUR(d[0]), MDM_FOUR(d[1])
                 : MDM_TAIL(a), "l"(b), "r"(keep));
}

/* Both factors from shared memory. */
static __device__ __forceinline__ void mdm_group_product(float (&d)[8][4], uint64_t a, uint64_t b, int keep)
{
    asm volatile("{.reg .pred p;\n"
                 "setp.ne.b32 p, %34, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 " MDM_THIRTY_TWO "%32, %33, p, 1, 1, 0, 0;}"
                 : MDM_SUMS_64
                 : "l"(a), "l"(b), "r"(keep));
}

static __device__ __forceinline__ void mdm_group_product(float (&d)[2][4], uint64_t a, uint64_t b, int keep)
{
    asm volatile("{.reg .pred p;\n"
                 "setp.ne.b32 p, %10, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 " MDM_EIGHT "%8, %9, p, 1, 1, 0, 0;}"
                 : MDM_FOUR(d[0]), MDM_FOUR(d[1])
                 : "l"(a), "l"(b), "r"(keep));
}

#        undef MDM_FOUR
#        undef MDM_TAIL
#        undef MDM_EIGHT
#        undef MDM_SIXTEEN
#        undef MDM_THIRTY_TWO
#        undef MDM_SUMS_64

template <int N>
static __device__ __forceinline__ void mdm_group_dots(float (&d)[N / 8][4], const unsigned a[4], const mdm_bf16 *tile,
                                                      int part, int keep)
{
    if constexpr (N == 64)
        mdm_group_product<0>(d, a, mdm_group_describe(tile, 32 * part), keep);
    else
        mdm_group_product(d, a, mdm_group_describe(tile, 32 * part), keep);
}

template <int N>
static __device__ __forceinline__ void mdm_group_dots(float (&d)[N / 8][4], const mdm_bf16 *own, const mdm_bf16 *tile,
                                                      int part, int keep)
{
    mdm_group_product(d, mdm_group_describe(own, 32 * part), mdm_group_describe(tile, 32 * part), keep);
}

static __device__ __forceinline__ void mdm_group_sums(float (&d)[8][4], const unsigned a[4], const mdm_bf16 *tile,
                                                      int part = 0)
{
    mdm_group_product<1>(d, a, mdm_group_describe(tile, MDM_ROWS * 128 * part), 1);
}

#    endif
#endif
#endif
