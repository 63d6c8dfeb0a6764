/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one stage of a run leaves to the next.
 */
#ifndef MASKDM_TRAIN_STAGE_H
#define MASKDM_TRAIN_STAGE_H

#include "train/trainer.h"

struct mdm_legacy {
    maskdm_model *model;         /* the online weights */
    maskdm_optimizer *optimizer; /* with moments and average; NULL: they begin anew */
    int64_t skipped;
};

/* A trainer that has done no step is that of stage `stage` (from 1) of a run, before which `first` steps were done:
 * it draws what no other stage draws. */
void mdm_trainer_set_stage(maskdm_trainer *tr, int64_t stage, int64_t first);
/* What the next one begins with; the trainer is gone. Where it fails, it stays as it was. */
int mdm_trainer_leave(struct mdm_legacy *out, maskdm_trainer **trainer, int all);
/* Hand it to a trainer that was made from its model and has done no step. Frees it. */
void mdm_trainer_inherit(maskdm_trainer *tr, struct mdm_legacy *legacy);
void mdm_legacy_free(struct mdm_legacy *legacy);

#endif
