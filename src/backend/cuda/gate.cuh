/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A barrier in shared memory that some arrive at and go on, and wait at later (PTX's mbarrier). It takes `count`
 * arrivals for a phase to end and the next one to begin. Phases are waited for by whether their number is odd, so
 * nobody may be a whole phase late: who waits for each phase before it arrives for the next one is not.
 */
#ifndef MASKDM_BACKEND_CUDA_GATE_CUH
#define MASKDM_BACKEND_CUDA_GATE_CUH

#include "backend/cuda/kernel.cuh"

/* By one thread, before a barrier of the block. */
static __device__ __forceinline__ void mdm_gate_make(uint64_t *gate, int count)
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_gate_make(gate, count);
#else
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"((unsigned)__cvta_generic_to_shared(gate)), "r"(count)
                 : "memory");
#endif
}

/* What this thread did before is seen by who waited for the phase. */
static __device__ __forceinline__ void mdm_gate_arrive(uint64_t *gate)
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_gate_arrive(gate);
#else
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"((unsigned)__cvta_generic_to_shared(gate))
                 : "memory");
#endif
}

/* Until a phase has ended that is odd or not. */
static __device__ __forceinline__ void mdm_gate_wait(uint64_t *gate, int odd)
{
#ifdef MDM_CUDA_EMULATED
    mdm_emulated_gate_wait(gate, odd);
#elif __CUDA_ARCH__ >= 900
    int ended;

    do
        asm volatile("{.reg .pred p;\n"
                     "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
                     "selp.b32 %0, 1, 0, p;}"
                     : "=r"(ended)
                     : "r"((unsigned)__cvta_generic_to_shared(gate)), "r"(odd)
                     : "memory");
    while (!ended);
#endif
}

#endif
