/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What holds of every tensor of a file that was accepted, whatever its format.
 */
#ifndef MASKDM_TESTS_FUZZ_TENSOR_H
#define MASKDM_TESTS_FUZZ_TENSOR_H

#include "require.h"

#include "base/error.h"
#include "tensorfile/tensorfile.h"

#include <stdlib.h>

/* Every way of reading tensor i; returns what reading it as floats does. */
static inline int read_tensor(struct mdm_tensorfile *s, int64_t i)
{
    const struct mdm_tensorfile_tensor *t = &s->tensor[i];
    size_t n = (size_t)t->elements, bytes = (size_t)(t->end - t->begin);
    float *f = malloc(n * sizeof *f + 1);
    double *d = malloc(n * sizeof *d + 1);
    int64_t *k = malloc(n * sizeof *k + 1);
    char *raw = malloc(bytes + 1);
    int err, whole;

    require(f && d && k && raw);
    require(mdm_tensorfile_find(s, t->name) == i);
    err = mdm_tensorfile_read(s, i, raw, bytes);
    require(err == MASKDM_OK || (err == MASKDM_EFORMAT && t->part)); /* its storage is damaged */
    whole = mdm_tensorfile_read_f32(s, i, f, t->elements);
    require(whole == err || whole == MASKDM_ENOTSUP);
    err = whole;
    require(mdm_tensorfile_read_f32_part(s, i, t->elements / 2, f, t->elements - t->elements / 2) == err);
    require(mdm_tensorfile_read_f64(s, i, d, t->elements) == err);
    whole = mdm_tensorfile_read_i64(s, i, k, t->elements);
    require(whole == MASKDM_OK || whole == MASKDM_ENOTSUP || whole == MASKDM_EFORMAT);
    free(f);
    free(d);
    free(k);
    free(raw);
    return err;
}

#endif
