/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Matrix products by cuBLASLt, row-major as the library has its matrices.
 */
#ifndef MASKDM_BACKEND_CUDA_PRODUCT_CUH
#define MASKDM_BACKEND_CUDA_PRODUCT_CUH

#include "backend/cuda/cuda.cuh"

/* c[m,n] (+)= scale op(a) op(b) + bias. a is stored [m,k], or [k,m] where turn_a; b [k,n], or [n,k] where turn_b;
 * lda, ldb, ldc: elements from one row as stored to the next. Batched where count > 1, with elements from one to the
 * next; all is device memory. Sums are float's. What a plan of the library needs is kept per shape. */
struct mdm_cuda_product {
    int64_t m, n, k;
    int turn_a, turn_b, add;
    enum mdm_dtype in, out; /* of a, b and bias; of c */
    const void *a, *b;
    int64_t lda, ldb;
    const void *bias; /* [n] or NULL */
    void *c;
    int64_t ldc;
    int64_t count; /* 0 counts as 1 */
    int64_t step_a, step_b, step_c;
    float scale; /* 0 counts as 1 */
};

int mdm_cuda_product(struct mdm_cuda *d, const struct mdm_cuda_product *p);

int mdm_cuda_blas_open(struct mdm_cuda *d);
void mdm_cuda_blas_close(struct mdm_cuda *d);

#endif
