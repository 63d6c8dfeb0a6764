/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way from one seed to another, and on to further ones.
 */
#ifndef MASKDM_SAMPLE_INTERPOLATE_H
#define MASKDM_SAMPLE_INTERPOLATE_H

#include "sample/sampler.h"

/* [frames] each; see struct mdm_seeds. */
struct mdm_between {
    uint64_t *from, *to;
    double *way;
};

int mdm_between_make(struct mdm_between *out, const uint64_t *seed, int64_t seeds, int64_t frames);
void mdm_between_free(struct mdm_between *b);
struct mdm_seeds mdm_between_seeds(const struct mdm_between *b);
int mdm_sampler_run_between(maskdm_sampler *s, const uint64_t *seed, int64_t seeds, int64_t frames,
                            const int32_t *labels, int sample_type, void *out, size_t row_stride,
                            size_t image_stride);

#endif
