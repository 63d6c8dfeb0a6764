/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What becomes of a parameter by what it is to the images. Private to src/model/transfer*.c.
 */
#ifndef MASKDM_MODEL_TRANSFER_RULE_H
#define MASKDM_MODEL_TRANSFER_RULE_H

#include "model/axis.h"
#include "model/model.h"

/* From model to model. */
struct mdm_transfer {
    const maskdm_model *from;
    maskdm_model *to;
    const int64_t *classes; /* mdm_classes_map() */
    struct mdm_axis rows, columns, pixels_in, pixels_out;
};

/* One parameter: x as it was, y as it is drawn and then becomes; host memory. */
struct mdm_transfer_job {
    const struct mdm_transfer *t;
    const struct mdm_param *from, *to;
    float *x, *y;
    enum maskdm_transferred what;
};

/* MASKDM_ESHAPE, with both shapes, where nothing tells. */
int mdm_transfer_apply(struct mdm_transfer_job *job);

#endif
