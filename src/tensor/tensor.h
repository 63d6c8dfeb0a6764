/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Element types, shapes, and the named parameters of a network.
 */
#ifndef MASKDM_TENSOR_TENSOR_H
#define MASKDM_TENSOR_TENSOR_H

#include <stddef.h>
#include <stdint.h>

enum maskdm_dtype { MASKDM_F32, MASKDM_F64, MASKDM_I32 };

enum { MASKDM_MAX_DIM = 4 };

/* Row-major; d[n-1] is innermost. n = 0 is a scalar. */
struct maskdm_shape {
    int n;
    int64_t d[MASKDM_MAX_DIM];
};

size_t maskdm_dtype_size(enum maskdm_dtype t);
int64_t maskdm_shape_numel(const struct maskdm_shape *s);
int maskdm_shape_equal(const struct maskdm_shape *a, const struct maskdm_shape *b);
int64_t maskdm_shape_last(const struct maskdm_shape *s); /* innermost dimension; 1 for a scalar */
int64_t maskdm_shape_rows(const struct maskdm_shape *s); /* numel / last */
struct maskdm_shape maskdm_shape1(int64_t a);
struct maskdm_shape maskdm_shape2(int64_t a, int64_t b);
struct maskdm_shape maskdm_shape3(int64_t a, int64_t b, int64_t c);
struct maskdm_shape maskdm_shape4(int64_t a, int64_t b, int64_t c, int64_t d);

/* How a parameter starts. NORMAL: deviation `scale`; UNIFORM: in [-scale, scale]. */
enum maskdm_init { MASKDM_INIT_ZERO, MASKDM_INIT_ONE, MASKDM_INIT_NORMAL, MASKDM_INIT_UNIFORM };

struct maskdm_param {
    char *name; /* the authors' name, e.g. encoder.mid_block.attn.qkv.weight */
    struct maskdm_shape shape;
    enum maskdm_init init;
    double scale;
    size_t at; /* offset in elements inside every block of this layout, a multiple of 16 */
};

/* The parameters of one network, in the authors' order. A block (weights, gradients, moments, EMA) is one
 * array of `length` elements; gaps between parameters are zero and stay zero. */
struct maskdm_params {
    struct maskdm_param *list;
    int count, capacity;
    size_t length;
    int64_t numel; /* without the gaps */
};

/* Index of the parameter, adding it on first sight; an existing name must have the same shape.
 * Negative: MASKDM_ENOMEM or MASKDM_ESHAPE. */
int maskdm_params_declare(struct maskdm_params *p, const char *name, const struct maskdm_shape *shape,
                          enum maskdm_init init, double scale);
int maskdm_params_find(const struct maskdm_params *p, const char *name); /* index or -1 */
/* Draw every parameter from (seed, INIT, index): independent of order and threads. */
void maskdm_params_init(const struct maskdm_params *p, float *block, uint64_t seed);
/* Zeros between the parameters and behind the last. */
void maskdm_params_clear_gaps(const struct maskdm_params *p, float *block);
void maskdm_params_free(struct maskdm_params *p);

#endif
