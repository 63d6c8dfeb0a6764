/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Matrix products by cuBLASLt, row-major as the library has its matrices, and sums of columns.
 */
#ifndef MASKDM_BACKEND_CUDA_PRODUCT_CUH
#define MASKDM_BACKEND_CUDA_PRODUCT_CUH

#include "backend/cuda/cuda.cuh"

/* c[m,n] = scale op(a) op(b) + bias, to which c as it was is added where `add` is set, or factor times plus where
 * that is not NULL; plus is laid out as c is and of its type. a is stored [m,k], or [k,m] where turn_a; b [k,n], or
 * [n,k] where turn_b; lda, ldb, ldc: elements from one row as stored to the next. Batched where count > 1, with
 * elements from one to the next; one bias is all matrices'. All is device memory. Sums are float's and rounded once;
 * where c is bf16, before a bias or c is added as well if that suits the algorithm.
 *
 * Where `group` is not 0 every so many rows of c are of one image, and have the bits that they have alone, whatever m
 * is; not together with count.
 *
 * The same product has the same bits in every process on the same device and release of cuBLAS. */
struct mdm_cuda_product {
    int64_t m, n, k;
    int turn_a, turn_b, add;
    enum mdm_dtype in, out; /* of a, b and bias; of c and plus */
    const void *a, *b;
    int64_t lda, ldb;
    const void *bias; /* [n] or NULL */
    void *c;
    int64_t ldc;
    int64_t count; /* 0 counts as 1 */
    int64_t step_a, step_b, step_c;
    int scaled; /* else scale counts as 1 */
    float scale;
    const void *plus;
    float factor;
    int64_t group;
    int whole; /* the sum over k is not to be cut by us */
};

template <class T> static inline enum mdm_dtype mdm_type_of()
{
    return sizeof(T) == sizeof(mdm_bf16) ? MDM_BF16 : MDM_F32;
}

int mdm_cuda_product(struct mdm_cuda *d, const struct mdm_cuda_product *p);

/* The same by a kernel of our own, for what cuBLASLt has no algorithm for. */
int mdm_cuda_product_plain(struct mdm_cuda *d, const struct mdm_cuda_product *p);

int mdm_cuda_blas_open(struct mdm_cuda *d);
void mdm_cuda_blas_close(struct mdm_cuda *d);

/* ---- sums.cu ---- */

/* The sums of the columns of x[images,rows,columns]: over all rows in `all`, which is float, and over those of every
 * image in `each`, of x's type. Either may be NULL, both are added to where the other field says so. */
struct mdm_cuda_sums {
    int64_t images, rows, columns; /* rows: of one image */
    enum mdm_dtype type;
    const void *x;
    float *all; /* [columns] */
    int add_all;
    void *each; /* [images,columns] */
    int add_each;
    float *parts; /* scratch of as many bytes as mdm_cuda_sums_scratch() says */
};

size_t mdm_cuda_sums_scratch(int64_t images, int64_t rows, int64_t columns);
int mdm_cuda_sums(struct mdm_cuda *d, const struct mdm_cuda_sums *s);

#endif
