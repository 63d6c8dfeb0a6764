/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the network's units, -1 .. 1, to samples in memory that the caller lends.
 */
#ifndef MASKDM_SAMPLE_PIXELS_H
#define MASKDM_SAMPLE_PIXELS_H

#include <maskdm/image.h>

#include "model/network.h"

struct mdm_pixels {
    int sample_type;                 /* enum maskdm_sample_type */
    int64_t rows, row_values;        /* of one image; row_values = width * channels */
    size_t row_stride, image_stride; /* bytes */
};

/* Strides of 0 become packed ones; others are checked, so that no two rows meet and all of it can be addressed. */
int mdm_pixels_layout(struct mdm_pixels *out, const struct mdm_geometry *g, int64_t count, int sample_type,
                      size_t row_stride, size_t image_stride);
/* (x + 1) / 2, clipped, of images first .. first + count - 1. NaN becomes 0. */
void mdm_pixels_write(const struct mdm_pixels *p, void *out, int64_t first, int64_t count, const float *x);

#endif
