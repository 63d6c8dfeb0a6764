/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What kernels are made of: values of either type as float, packs of 16 bytes, sums over a warp or a block.
 */
#ifndef MASKDM_BACKEND_CUDA_KERNEL_CUH
#define MASKDM_BACKEND_CUDA_KERNEL_CUH

#include "backend/cuda/cuda.cuh"

/* Dynamic shared memory, 16-byte aligned: MDM_CUDA_SHARED(float, s) declares float *s. */
#ifndef MDM_CUDA_SHARED
#    define MDM_CUDA_SHARED(type, name)                                                                              \
        extern __shared__ __align__(128) unsigned char mdm_cuda_shared_[];                                           \
        type *const name = (type *)mdm_cuda_shared_
#endif

enum { MDM_WARP = 32 };

static __device__ __forceinline__ float mdm_float(float x)
{
    return x;
}
static __device__ __forceinline__ float mdm_float(mdm_bf16 x)
{
    return __bfloat162float(x);
}

template <class T> static __device__ __forceinline__ T mdm_round(float x);
template <> __device__ __forceinline__ float mdm_round<float>(float x)
{
    return x;
}
template <> __device__ __forceinline__ mdm_bf16 mdm_round<mdm_bf16>(float x)
{
    return __float2bfloat16_rn(x);
}

/* As many values as make 16 bytes, which is how they should be read and written where rows and pointers allow it. */
template <class T> struct alignas(16) mdm_pack {
    enum { N = 16 / sizeof(T) };
    T v[N];
};

template <class T> static __device__ __forceinline__ void mdm_load(float *out, const T *p)
{
    const mdm_pack<T> x = *(const mdm_pack<T> *)p;

#pragma unroll
    for (int i = 0; i < mdm_pack<T>::N; i++)
        out[i] = mdm_float(x.v[i]);
}

template <class T> static __device__ __forceinline__ void mdm_store(T *p, const float *in)
{
    mdm_pack<T> x;

#pragma unroll
    for (int i = 0; i < mdm_pack<T>::N; i++)
        x.v[i] = mdm_round<T>(in[i]);
    *(mdm_pack<T> *)p = x;
}

/* A gradient is written, or summed onto what is there. */
template <class T> static __device__ __forceinline__ void mdm_put(T *p, float x, int add)
{
    *p = mdm_round<T>(add ? mdm_float(*p) + x : x);
}

static __device__ __forceinline__ float mdm_warp_sum(float x)
{
#pragma unroll
    for (int i = MDM_WARP / 2; i > 0; i /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, i);
    return x;
}

static __device__ __forceinline__ float mdm_warp_max(float x)
{
#pragma unroll
    for (int i = MDM_WARP / 2; i > 0; i /= 2)
        x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, i));
    return x;
}

/* Of all threads of a one-dimensional block of whole warps, in every thread; `room` is shared memory of 32 values.
 * All threads must come, and may use `room` again at once. */
static __device__ __forceinline__ float mdm_block_sum(float x, float *room)
{
    const int warp = threadIdx.x / MDM_WARP, lane = threadIdx.x % MDM_WARP, warps = blockDim.x / MDM_WARP;

    x = mdm_warp_sum(x);
    if (lane == 0)
        room[warp] = x;
    __syncthreads();
    x = mdm_warp_sum(lane < warps ? room[lane] : 0.0f);
    __syncthreads();
    return x;
}

#endif
