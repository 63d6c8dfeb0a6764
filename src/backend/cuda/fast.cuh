/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two functions that the hardware has as one instruction each, to about two of float's last bits. What is too
 * small for a normal float is 0, which saves the compiler's care for it: half of an activation's instructions.
 */
#ifndef MASKDM_BACKEND_CUDA_FAST_CUH
#define MASKDM_BACKEND_CUDA_FAST_CUH

#include "backend/cuda/kernel.cuh"

static __device__ __forceinline__ float mdm_exp2(float x)
{
#ifdef MDM_CUDA_EMULATED
    return x < -126.0f ? 0.0f : exp2f(x);
#else
    float y;

    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

static __device__ __forceinline__ float mdm_inverse(float x)
{
#ifdef MDM_CUDA_EMULATED
    return 1.0f / x;
#else
    float y;

    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

static __device__ __forceinline__ float mdm_exp(float x)
{
    return mdm_exp2(1.44269504f * x);
}

#endif
