/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values of float, N at once, as the jobs take them: 4 where pointers and counts allow 16 bytes a thread, else 1.
 */
#ifndef MASKDM_BACKEND_CUDA_VALUES_CUH
#define MASKDM_BACKEND_CUDA_VALUES_CUH

#include "backend/cuda/kernel.cuh"

template <int N> static __device__ __forceinline__ void mdm_take(float *out, const float *p)
{
    static_assert(N == 1 || N == 4, "a value or 16 bytes");
    if constexpr (N == 1)
        out[0] = *p;
    else
        mdm_load(out, p);
}

template <int N> static __device__ __forceinline__ void mdm_leave(float *p, const float *in)
{
    static_assert(N == 1 || N == 4, "a value or 16 bytes");
    if constexpr (N == 1)
        *p = in[0];
    else
        mdm_store(p, in);
}

/* Whether values of all of these may be taken by 16 bytes. NULL is not in the way. */
template <class... P> static inline int mdm_cuda_aligned(const P *...p)
{
    return ((0 | ... | (uintptr_t)p) & 15) == 0;
}

#endif
