/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Instructions that C++ has no words for: products of a warp on the tensor cores, what loads for them, copies that go
 * on beside the work. All lanes come to those that are a warp's.
 *
 * Fragments are PTX's. With g = lane / 4 and t = lane % 4, a lane has of a product of 16 x 16 by 16 x 8
 *
 *     a    rows g, g+8, g, g+8 and columns 2t, 2t+1 of the left half, twice, and of the right half, twice
 *     b    rows 2t, 2t+1 and 2t+8, 2t+9 of column g
 *     d    columns 2t, 2t+1 of row g, and of row g+8
 *
 * so that two neighbouring d, rounded, are the a of a product that follows.
 */
#ifndef MASKDM_BACKEND_CUDA_MMA_CUH
#define MASKDM_BACKEND_CUDA_MMA_CUH

#include "backend/cuda/fast.cuh"

/* Two values as bf16, the first in the lower half. */
static __device__ __forceinline__ unsigned mdm_pair(float low, float high)
{
#ifdef MDM_CUDA_EMULATED
    const mdm_bf16 x[2] = {__float2bfloat16_rn(low), __float2bfloat16_rn(high)};
    unsigned out;

    memcpy(&out, x, sizeof out);
    return out;
#else
    unsigned out;

    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
    return out;
#endif
}

/* One of them. */
static __device__ __forceinline__ float mdm_unpair(unsigned pair, int high)
{
    return __uint_as_float(high ? pair & 0xffff0000u : pair << 16);
}

/* d += a b */
static __device__ __forceinline__ void mdm_mma(float d[4], const unsigned a[4], const unsigned b[2])
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_mma_bf16(d, a, b);
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/* Four matrices of 8 rows of 16 bytes from shared memory; lanes 8i .. 8i+7 give the addresses of matrix i's rows. */
static __device__ __forceinline__ void mdm_load_matrices(unsigned out[4], const void *row)
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_ldmatrix(out, 4, 0, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"((unsigned)__cvta_generic_to_shared(row))
                 : "memory");
#endif
}

/* The same, each of them transposed. */
static __device__ __forceinline__ void mdm_load_transposed(unsigned out[4], const void *row)
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_ldmatrix(out, 4, 1, row);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"((unsigned)__cvta_generic_to_shared(row))
                 : "memory");
#endif
}

/* 16 bytes to shared memory, or zeros, by the time that they are waited for. */
static __device__ __forceinline__ void mdm_copy_pack(void *shared, const void *global, int there)
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_copy_async(shared, global, 16, there ? 16 : 0);
#else
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"((unsigned)__cvta_generic_to_shared(shared)),
                 "l"(global), "r"(there ? 16 : 0)
                 : "memory");
#endif
}

/* Closes a group of this thread's copies. */
static __device__ __forceinline__ void mdm_copy_close(void)
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_copy_commit();
#else
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/* Waits for all of this thread's groups but the last N. */
template <int N> static __device__ __forceinline__ void mdm_copy_wait(void)
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_copy_wait(N);
#else
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#endif
}

#endif
