/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The images of the next micro-batch, read and brought to the device while that works on the present one. Only where
 * a device works behind its caller's back: elsewhere there is nothing to do meanwhile, and nothing is read ahead.
 */
#ifndef MASKDM_TRAIN_AHEAD_H
#define MASKDM_TRAIN_AHEAD_H

#include "data/data.h"
#include "train/microbatch.h"

struct maskdm_trainer;

struct mdm_ahead {
    struct mdm_microbatch next; /* of which images, staged, entered and labels are there */
    maskdm_data *data;          /* one reference: where they are from; NULL: there are none */
    int64_t image, rows;        /* the first of them in the run's stream, and how many rows they make */
    pthread_t thread;
    uint64_t seed; /* of the order in which they come */
    int running, status;
};

/* Bytes of device memory; 0 where nothing is read ahead. */
size_t mdm_ahead_bytes(maskdm_device *device, int64_t batch, int64_t values);
/* Take room for as many images as the micro-batch has, where anything is read ahead. */
int mdm_ahead_ready(struct mdm_ahead *a, const struct mdm_microbatch *m);
/* Begin to read what `step` draws in `part`, where that can be told. Never fails: what is not ahead is read in time.
 */
void mdm_ahead_begin(struct maskdm_trainer *tr, maskdm_data *data, int64_t step, int64_t part);
/* Whether the images from `image` on of these data were read ahead; they are in the micro-batch then. */
int mdm_ahead_take(struct maskdm_trainer *tr, maskdm_data *data, int64_t image);
/* Until nothing is being read. */
void mdm_ahead_wait(struct mdm_ahead *a);
void mdm_ahead_free(struct mdm_ahead *a);

#endif
