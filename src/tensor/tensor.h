/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Element types, shapes, and the named parameters of a network.
 */
#ifndef MASKDM_TENSOR_TENSOR_H
#define MASKDM_TENSOR_TENSOR_H

#include <stddef.h>
#include <stdint.h>

enum mdm_dtype { MDM_F32, MDM_F64, MDM_I32, MDM_BF16, MDM_F16 };

enum { MDM_MAX_DIM = 4 };

/* Row-major; d[n-1] is innermost. n = 0 is a scalar. */
struct mdm_shape {
    int n;
    int64_t d[MDM_MAX_DIM];
};

size_t mdm_dtype_size(enum mdm_dtype t);
enum mdm_dtype mdm_dtype_wide(enum mdm_dtype t); /* MDM_F32 of those of 16 bits, others as they are */
int64_t mdm_shape_numel(const struct mdm_shape *s);
int mdm_shape_equal(const struct mdm_shape *a, const struct mdm_shape *b);
int64_t mdm_shape_last(const struct mdm_shape *s); /* innermost dimension; 1 for a scalar */
int64_t mdm_shape_rows(const struct mdm_shape *s); /* numel / last */
struct mdm_shape mdm_shape1(int64_t a);
struct mdm_shape mdm_shape2(int64_t a, int64_t b);
struct mdm_shape mdm_shape3(int64_t a, int64_t b, int64_t c);
struct mdm_shape mdm_shape4(int64_t a, int64_t b, int64_t c, int64_t d);

/* How a parameter starts. NORMAL: deviation `scale`; UNIFORM: in [-scale, scale]; GRID: a row for every place of a
 * grid of `scale` columns, row by row: [sin | cos] of its column in the first half, of its row in the second, over
 * the frequencies 1e4^(-i/(D/4)). */
enum mdm_init { MDM_INIT_ZERO, MDM_INIT_ONE, MDM_INIT_NORMAL, MDM_INIT_UNIFORM, MDM_INIT_GRID };

/* What a parameter is to the images, which tells what becomes of it where they become others (model/transfer.c). C
 * channels of an image, O of a prediction, p patch side, L classes, D any width; dimensions in this order. */
enum mdm_meaning {
    MDM_MEANS_NOTHING,
    MDM_MEANS_PLACES,    /* [1,e+P,D]: rows of e other tokens, the last of which is always there, and of a grid */
    MDM_MEANS_PATCH_IN,  /* [D,C,p,p] */
    MDM_MEANS_PATCH_OUT, /* [p p O,..], a patch's values in (row, column, channel) order */
    MDM_MEANS_PATCH_OUT_BY_CHANNEL, /* [O p p,..], a patch's values in (channel, row, column) order */
    MDM_MEANS_IMAGE_IN,  /* [D,C,..]; further channels stand behind the image's */
    MDM_MEANS_IMAGE_OUT, /* [O,..] */
    MDM_MEANS_IMAGE_BOTH, /* [O,C,..] */
    MDM_MEANS_CLASSES,   /* [L,D], or [L+1,D] whose last row is the null class */
    MDM_MEANS_CLASSES_AND_NULL /* [L,D], whose last class is the null class */
};

struct mdm_param {
    char *name; /* the authors' name, e.g. encoder.mid_block.attn.qkv.weight */
    struct mdm_shape shape;
    enum mdm_init init;
    double scale;
    enum mdm_meaning meaning;
    int frozen; /* no gradient flows to it, and neither optimizer nor average touches it */
    /* Above 0: a weight [O,..] that tokens or pixels go through from one hidden layer to another, and so many
     * matrices, one below the other, each O/parts rows of all that stands behind the first dimension. 0: a vector, an
     * embedding, a head, or of what goes into none of these. */
    int parts;
    /* MDM_BF16 or MDM_F16: so its values lie in a block, two in the room of an element. MDM_F32: each is one. */
    enum mdm_dtype stored;
    size_t at;  /* offset in elements inside every block of this layout, a multiple of 16 */
};

/* The parameters of one network, in the authors' order. A block (weights, gradients, moments, EMA) is one
 * array of `length` elements; gaps between parameters are zero and stay zero. */
struct mdm_params {
    const struct mdm_adapter *adapter; /* what stands beside matrices (model/adapter.h), not owned; NULL: nothing */
    struct mdm_param *list;
    int count, capacity;
    size_t length;
    int64_t numel; /* without the gaps */
};

/* Index of the parameter, adding it on first sight; an existing name must have the same shape.
 * Negative: MASKDM_ENOMEM or MASKDM_ESHAPE. */
int mdm_params_declare(struct mdm_params *p, const char *name, const struct mdm_shape *shape, enum mdm_init init,
                       double scale);
/* Parameters are stored in another type from now on: those for which `chosen` is not 0, and whose values are even in
 * number. All are given their places anew. */
void mdm_params_store(struct mdm_params *p, const unsigned char *chosen, enum mdm_dtype type);
int mdm_params_find(const struct mdm_params *p, const char *name); /* index or -1 */
/* The next run of parameters that are trained, gaps included: its first element, from *at on, goes to *from, and what
 * lies behind its last one to *at. 0: there is none. Begin with *at = 0. */
int mdm_params_trained(const struct mdm_params *p, size_t *at, size_t *from);
/* Draw parameter i from (seed, INIT, i): independent of order and threads. */
void mdm_params_draw(const struct mdm_params *p, int i, float *out, uint64_t seed);
/* A whole block in host memory, gaps too. */
void mdm_params_init(const struct mdm_params *p, float *block, uint64_t seed);
/* Elements between parameter i and what follows it, and where they begin. */
size_t mdm_params_gap(const struct mdm_params *p, int i, size_t *at);
void mdm_params_free(struct mdm_params *p);

#endif
