/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images and labels of a micro-batch, on the host.
 */
#include "train/trainer.h"

#include <string.h>

/* Where an image makes several rows, each gets it and its label. */
static void spread(const maskdm_trainer *tr, struct mdm_microbatch *m)
{
    const int64_t groups = tr->pace.groups;

    for (int64_t row = tr->batch - 1; groups > 1 && row > 0; row--) {
        memcpy(m->staged + row * tr->values, m->staged + row / groups * tr->values,
               (size_t)tr->values * sizeof *m->staged);
        m->labels[row] = m->labels[row / groups];
    }
}

int mdm_trainer_fetch(maskdm_trainer *tr, struct mdm_microbatch *m, maskdm_data *data, int64_t image)
{
    MDM_TRY(mdm_retain_fetch(tr, m, data, image));
    spread(tr, m);
    return MASKDM_OK;
}
