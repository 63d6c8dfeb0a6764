/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The products of a linear layer y = x w' + b, and of its gradients, for the operations that have one in them.
 */
#ifndef MASKDM_BACKEND_CUDA_LAYER_CUH
#define MASKDM_BACKEND_CUDA_LAYER_CUH

#include "backend/cuda/product.cuh"

/* Rows of x and of y, and their widths. The columns of w may be some of a wider matrix: `apart` from one of its rows
 * to the next. x, w, b, y and their gradients are of the type, but those of w and b float. */
struct mdm_cuda_layer {
    int64_t rows, in, out, apart, group; /* group: as of struct mdm_cuda_product */
    enum mdm_dtype type;
};

/* y, of the type `made`; b may be NULL, and `add` sums onto what is there. */
int mdm_cuda_layer_forward(struct mdm_cuda *d, const struct mdm_cuda_layer *l, void *y, enum mdm_dtype made,
                           const void *x, const void *w, const void *b, int add);
/* dx = dy w; dx NULL: nobody wants it. */
int mdm_cuda_layer_input(struct mdm_cuda *d, const struct mdm_cuda_layer *l, void *dx, const void *dy, const void *w,
                         int add);
/* dw = dy' x; dw NULL: the same. */
int mdm_cuda_layer_weight(struct mdm_cuda *d, const struct mdm_cuda_layer *l, void *dw, const void *dy, const void *x,
                          int add);
/* db, the sums of dy's columns, in scratch of mdm_cuda_sums_scratch(1, rows, out) bytes; db NULL: the same. */
int mdm_cuda_layer_bias(struct mdm_cuda *d, const struct mdm_cuda_layer *l, void *db, const void *dy, int add,
                        void *scratch);

#endif
