/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Norms of rows: what layernorm, add_norm, modulate and rms_modulate have in common.
 */
#ifndef MASKDM_BACKEND_CUDA_NORM_CUH
#define MASKDM_BACKEND_CUDA_NORM_CUH

#include "backend/cuda/parts.cuh"

/* y = h w + b, and then y (1 + m[scale..]) + m[shift..] of the row's image, where h is x + r less its mean and over
 * its deviation, or with `rms` over the root of its mean square. What is NULL is not there. Everything is of the
 * program's type but stats and parts. */
struct mdm_cuda_norm {
    const void *x, *r, *w, *b, *m;
    void *sum, *y; /* sum: x + r, and backward what was normed, when x is not looked at */
    float *stats;  /* of each row the mean and 1/deviation, or with rms the latter alone */
    int64_t images, tokens, d, width, scale, shift; /* tokens: rows of an image; width of m's rows */
    float epsilon, over;                            /* over: 1/d */
    int rms;
    /* backward: dx and dr (+)= the gradient of what was normed, + more */
    const void *dy, *more;
    void *dx, *dr;
    int add_x, add_r;
    float *part; /* [parts,2,d]: sums of dy h and of dy; NULL: not wanted */
    struct mdm_cuda_parts parts;
};

int mdm_cuda_norm_forward(struct mdm_cuda *d, enum mdm_dtype type, const struct mdm_cuda_norm *j);
int mdm_cuda_norm_backward(struct mdm_cuda *d, enum mdm_dtype type, const struct mdm_cuda_norm *j);

/* How threads hold a row: as packs in registers, of which a warp has up to 1024 values, a block of four warps up to
 * 4096. 0: it does not come in packs, or is too long for that. */
static inline int mdm_cuda_norm_quarters(const struct mdm_cuda_norm *j, size_t size, int64_t most)
{
    const int64_t n = 16 / (int64_t)size;
    const uintptr_t at = (uintptr_t)j->x | (uintptr_t)j->r | (uintptr_t)j->w | (uintptr_t)j->b | (uintptr_t)j->m;

    if (j->d % n || j->width % n || j->scale % n || j->shift % n || j->d > most || at % 16)
        return 0;
    return (int)mdm_cuda_pieces(j->d, most / 4);
}

enum { MDM_NORM_WARPS = 4, MDM_NORM_WARP_ROW = 1024, MDM_NORM_BLOCK_ROW = 4096 };

/* Q quarters of the longest row among WARPS warps; FULL: the row has not a value less than that. */
template <class T, int Q, int WARPS, int FULL> struct mdm_norm_shape {
    enum {
        N = mdm_pack<T>::N,
        PACKS = Q * MDM_NORM_WARP_ROW / 4 / (MDM_WARP * mdm_pack<T>::N),
        TEAM = MDM_WARP * WARPS,
        STEP = TEAM * mdm_pack<T>::N,
        VALUES = PACKS * mdm_pack<T>::N
    };
    static __device__ __forceinline__ int width(const struct mdm_cuda_norm &j)
    {
        return FULL ? PACKS * STEP : (int)j.d;
    }
    /* The column of the thread's pack p, and whether the row has it. */
    static __device__ __forceinline__ int column(int p)
    {
        return p * STEP + (int)threadIdx.x % TEAM * N;
    }
    static __device__ __forceinline__ int has(const struct mdm_cuda_norm &j, int p)
    {
        return FULL || column(p) < j.d;
    }
};

template <int WARPS> static __device__ __forceinline__ float mdm_norm_sum(float x, float *room)
{
    return WARPS == 1 ? mdm_warp_sum(x) : mdm_block_sum(x, room);
}

/* Without a branch, so that the loads of a row are under way together. */
template <class T> static __device__ __forceinline__ mdm_pack<T> mdm_pack_or_zeros(const T *p, int64_t at, int there)
{
    uint4 bits = make_uint4(0, 0, 0, 0);
    mdm_pack<T> out;

    if (there)
        bits = *(const uint4 *)(p + at);
    memcpy(&out, &bits, sizeof out);
    return out;
}

/* A pack of an operand that may be absent. */
template <class T>
static __device__ __forceinline__ void mdm_load_or(float *out, const T *p, int64_t at, float absent)
{
    if (p)
        mdm_load(out, p + at);
    else
#pragma unroll
        for (int i = 0; i < mdm_pack<T>::N; i++)
            out[i] = absent;
}

#endif
