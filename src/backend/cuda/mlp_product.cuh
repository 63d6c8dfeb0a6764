/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products of a multilayer perceptron x -> fc1 -> GELU -> fc2 with the GELU in them, in bf16 on sm_90a, for which
 * cuBLASLt has no epilogue. What is not taken is cuBLASLt's and a kernel's of its own, with the same roundings.
 */
#ifndef MASKDM_BACKEND_CUDA_MLP_PRODUCT_CUH
#define MASKDM_BACKEND_CUDA_MLP_PRODUCT_CUH

#include "backend/cuda/cuda.cuh"

/* Forward: pre[m,n] = a[m,k] b[n,k]' + bias, rounded, and y = gelu(pre); pre may be NULL.
 * Backward: y[m,n] = a[m,k] b[k,n], rounded, times the slope of gelu at pre, which is read; and `sums` (+)= the sums
 * of y's columns, where that is not NULL.
 *
 * All but sums is bf16. lda, ldb, ldc: elements from one row as stored to the next, ldc of pre and y. An element is a
 * float sum over k in one order whatever m is. */
struct mdm_mlp_product {
    int backward;
    int64_t m, n, k;
    const void *a, *b;
    int64_t lda, ldb;
    const void *bias; /* [n] or NULL; forward alone */
    void *pre, *y;
    int64_t ldc;
    float *sums; /* [n] or NULL; backward alone */
    int add_sums;
    void *parts; /* scratch of as many bytes as mdm_mlp_product_scratch() says; NULL where sums is */
};

/* Once, where a device is opened. */
int mdm_mlp_product_allow(struct mdm_cuda *d);

/* Whether this device and these sizes have the product. What is here depends on n, k and alignment alone, not on m.
 */
int mdm_mlp_product_takes(struct mdm_cuda *d, const struct mdm_mlp_product *p);
size_t mdm_mlp_product_scratch(int64_t m, int64_t n);
int mdm_mlp_product(struct mdm_cuda *d, const struct mdm_mlp_product *p);

#endif
