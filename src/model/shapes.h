/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options from the shapes of a checkpoint's weights: what the networks' read_shapes() have in common. Weights are the
 * tensors PREFIX + NAME.
 */
#ifndef MASKDM_MODEL_SHAPES_H
#define MASKDM_MODEL_SHAPES_H

#include "option/option.h"
#include "tensorfile/tensorfile.h"

int64_t mdm_shapes_find(const struct mdm_tensorfile *s, const char *prefix, const char *name); /* -1: none */
/* The shape of a weight that every such network has, no dimension of it 0. */
int mdm_shapes_read(const struct mdm_tensorfile *s, const char *prefix, const char *name, int rank,
                    const int64_t **shape);
/* How many there are of BEFORE0BEHIND, BEFORE1BEHIND, ... */
int64_t mdm_shapes_count(const struct mdm_tensorfile *s, const char *prefix, const char *before, const char *behind);

int mdm_shapes_set_bool(maskdm_options *o, const char *name, int value);
/* mlp_ratio for a hidden layer of so many, of which the network takes the whole part of dim * ratio. */
int mdm_shapes_set_ratio(maskdm_options *o, int64_t hidden, int64_t dim);
/* image_size, where that many patches make a square. */
int mdm_shapes_set_square(maskdm_options *o, int64_t patches, int64_t patch);

#endif
