/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A trainer that tunes for consistency (diffusion/consistency.h): what is drawn and how the passes run is as in any
 * other, but that the network first says, with the weights as they are, what it sees at r; that pass has the same
 * program, rows, visible patches and noise, and no backward. What it said is kept until the loss.
 */
#ifndef MASKDM_TRAIN_TUNE_H
#define MASKDM_TRAIN_TUNE_H

#include "train/trainer.h"

#include "diffusion/consistency.h"

struct mdm_tune {
    maskdm_options *options; /* of kind "consistency" */
    struct mdm_consistency rule;
    maskdm_device *device;
    float *said, *apart; /* device memory for a micro-batch's outputs: at r, and how far that at t is from it */
    size_t bytes;        /* of each */
    double *below, *delta;
    struct mdm_consistency_facts *facts; /* of each row, as `below`, the time of r, or t where nothing is asked */
};

/* Device memory that a trainer takes for it. EINVAL where it cannot be counted. */
int mdm_tune_bytes(size_t *bytes, const struct mdm_pace *pace, const maskdm_model *model);
/* Before a trainer's first step; EINVAL for a network of patches of two kinds, and where it forgets by levels or
 * retains images. options: of kind "consistency", or a composite that has them; NULL: the defaults. */
int mdm_tune_begin(maskdm_trainer *tr, const maskdm_options *options);
void mdm_tune_end(struct mdm_tune **tune);

/* Times of t for the rows that begin with `first`. */
void mdm_tune_draw_times(const maskdm_trainer *tr, int64_t first, int64_t step);
/* Called with the device entered, before the forward pass at t and behind it: */
int mdm_tune_teach(maskdm_trainer *tr);
int mdm_tune_loss(maskdm_trainer *tr, double scale);

#endif
