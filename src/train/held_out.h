/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Held-out error of a model that nobody trains: that of the x0 that it predicts, by noise level, as the trainer's
 * validation has it, and its own loss on times as training draws them. Images, times and noise are fixed by a seed.
 */
#ifndef MASKDM_TRAIN_HELD_OUT_H
#define MASKDM_TRAIN_HELD_OUT_H

#include "base/control.h"
#include "data/data.h"
#include "train/microbatch.h"

enum { MDM_HELD_OUT_BUCKETS = 1024 }; /* most */

struct mdm_held_out {
    int64_t count;            /* images; 0, or more than there are: all */
    uint64_t seed;
    enum mdm_loss_kind loss;  /* the model's own */
    double delta;
    int64_t buckets;          /* 0: none */
    maskdm_control *control;  /* hears of images as steps */
};

/* The least and the most noise-to-signal ratio of a predicted x0 that is held against its image: below, any network
 * is right; above, none knows more than the mean of the data. */
#define MDM_HELD_OUT_LEAST 0.02
#define MDM_HELD_OUT_MOST 20.0

/* x0_error, own_loss: means over all images. bucket[buckets]: x0_error over equal parts of the ratio's logarithm, NaN
 * where no image fell. */
int mdm_held_out(maskdm_model *model, enum maskdm_weights which, maskdm_data *data, const struct mdm_held_out *told,
                 double *x0_error, double *own_loss, double *bucket);

#endif
