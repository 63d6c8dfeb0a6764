/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a sampling job is given beside a model: pictures to begin with or to complete, seeds to go between.
 */
#ifndef MASKDM_RUN_GIVEN_H
#define MASKDM_RUN_GIVEN_H

#include "run/options.h"
#include "sample/interpolate.h"

struct mdm_given {
    struct mdm_between between; /* empty: seeds one after the other */
};

/* Which options go together, and whether the pictures can be; told->count becomes the number of images. */
int mdm_given_check(struct mdm_sample_run_options *told, const maskdm_options *options);
/* Read the pictures, bring them to the sampler's size, and hand them over. */
int mdm_given_hand_over(struct mdm_given *g, maskdm_sampler *s, const struct mdm_sample_run_options *told,
                        const maskdm_options *options);
void mdm_given_free(struct mdm_given *g);

#endif
