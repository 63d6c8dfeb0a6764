/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The types of 16 bits that weights are rounded to, in files and in memory.
 */
#ifndef MASKDM_MODEL_ROUNDING_H
#define MASKDM_MODEL_ROUNDING_H

#include "tensor/tensor.h"

struct mdm_rounding {
    enum mdm_dtype type;
    const char *dtype, *name; /* in a file, and for people */
    uint16_t (*round)(float x);
    float (*value)(uint16_t half);
    uint16_t infinity;
    double largest; /* that is not rounded to infinity, nearly */
};

/* The i-th; NULL: there is none. */
const struct mdm_rounding *mdm_rounding(int i);
/* Of a type; NULL of one that has more bits. */
const struct mdm_rounding *mdm_rounding_to(enum mdm_dtype type);
/* x[n], which follow the first `before` of the `count` values of tensor `name`, rounded into out[n]. MASKDM_EINVAL,
 * naming the tensor and the value, where one does not fit. */
int mdm_rounding_apply(const struct mdm_rounding *r, uint16_t *out, const char *name, const float *x, int64_t n,
                       int64_t before, int64_t count);

#endif
