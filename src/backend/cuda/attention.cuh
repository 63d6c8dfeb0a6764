/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scaled dot-product attention in tiles that never hold the N x N scores (Dao et al. 2022, FlashAttention). A row of
 * qkv[B,N,3D] is [q heads | k heads | v heads]. Forward keeps one number per row, lse = log sum exp of its scores;
 * backward gets the weights back as exp(s - lse), and needs delta = sum(dy y) of every row beside it. Its gradients
 * are made in two passes, each of which owns what it writes: that of k and v by keys, that of q by queries. So
 * nothing is summed across blocks, at the price of scores that are made twice.
 *
 * attention.cu says which of the kernels a call takes:
 *
 *     attention_general    any head width, either type, sums in float on the ordinary units
 *     attention_fast       bf16, head widths that are multiples of 8 up to 128, on the tensor cores
 *     attention_group      of those, many tokens of up to 64 columns, where warpgroups have products (sm_90a)
 *
 * That choice and every cut of a sum depend on N and the head width alone: an image has the same bits in any batch.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_CUH

#include "backend/cuda/cuda.cuh"

struct mdm_attention {
    const void *qkv, *dy; /* of the program's type, as are y and dqkv */
    void *y, *dqkv;
    float *lse, *delta; /* [B,h,N]; forward: lse may be NULL */
    float2 *pair;       /* in place of delta: attention_fast_backward.cuh */
    int64_t batch, n, heads, width, dim;
    int add; /* dqkv is summed onto */
};

/* One head of one image: where its values begin in a row of tokens. Rows are 3D apart, those of y and dy D. */
template <class T> struct mdm_attention_head {
    const T *q, *k, *v, *dy;
    T *y, *dq, *dk, *dv;
    float *lse, *delta;
    int64_t step, row_step;
};

template <class T>
static __device__ __forceinline__ mdm_attention_head<T> mdm_attention_find(const mdm_attention &a, int64_t index)
{
    const int64_t b = index / a.heads, column = index % a.heads * a.width;
    const int64_t at = b * a.n * 3 * a.dim + column, row = b * a.n * a.dim + column;
    mdm_attention_head<T> h;

    h.step = 3 * a.dim;
    h.row_step = a.dim;
    h.q = (const T *)a.qkv + at;
    h.k = h.q + a.dim;
    h.v = h.k + a.dim;
    h.dy = (const T *)a.dy + row;
    h.y = (T *)a.y + row;
    h.dq = (T *)a.dqkv + at;
    h.dk = h.dq + a.dim;
    h.dv = h.dk + a.dim;
    h.lse = a.lse + index * a.n;
    h.delta = a.delta + index * a.n;
    return h;
}

/* Shared memory has to be allowed once. */
int mdm_attention_general_allow(struct mdm_cuda *d);
int mdm_attention_general_backward_allow(struct mdm_cuda *d);
/* Whether the fast kernels are for this. */
int mdm_attention_fast_takes(const mdm_attention *a, enum mdm_dtype type);
int mdm_attention_fast_allow(struct mdm_cuda *d);
int mdm_attention_fast_backward_allow(struct mdm_cuda *d);
int mdm_attention_fast_forward(struct mdm_cuda *d, const mdm_attention *a);
int mdm_attention_fast_backward(struct mdm_cuda *d, const mdm_attention *a);
size_t mdm_attention_fast_scratch(const mdm_attention *a);
/* Whether the device has what attention_group needs, or a status. */
int mdm_attention_group_here(struct mdm_cuda *d);
int mdm_attention_group_takes(const mdm_attention *a); /* of what the fast kernels take */
int mdm_attention_group_allow(struct mdm_cuda *d);
int mdm_attention_group_backward_allow(struct mdm_cuda *d);
int mdm_attention_group_pass_allow(struct mdm_cuda *d);
int mdm_attention_group_pass(struct mdm_cuda *d, const mdm_attention *a, float scale);
size_t mdm_attention_group_scratch(const mdm_attention *a); /* behind that of the fast kernels */
int mdm_attention_make_pairs(struct mdm_cuda *d, const mdm_attention *a);
int mdm_attention_group_forward(struct mdm_cuda *d, const mdm_attention *a);
int mdm_attention_group_long_allow(struct mdm_cuda *d);
int mdm_attention_group_long(struct mdm_cuda *d, const mdm_attention *a);
int mdm_attention_group_backward(struct mdm_cuda *d, const mdm_attention *a);
int mdm_attention_general_forward(struct mdm_cuda *d, const mdm_attention *a, enum mdm_dtype type);
int mdm_attention_general_backward(struct mdm_cuda *d, const mdm_attention *a, enum mdm_dtype type);

#endif
