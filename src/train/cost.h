/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What training costs: arithmetic by formula, time and energy as they were measured.
 */
#ifndef MASKDM_TRAIN_COST_H
#define MASKDM_TRAIN_COST_H

#include <maskdm/train.h>

#include "os/energy.h"
#include "train/pace.h"

/* FLOPs of a step. */
struct mdm_step_flops {
    double forward, backward, optimizer;
};

struct mdm_meter {
    int counted;                                  /* the levels were */
    struct mdm_step_flops level[MDM_MASK_LEVELS]; /* of the pace */
    struct mdm_step_flops whole[MDM_MASK_LEVELS]; /* the same if its images were seen whole, by every block */
    double seconds;                               /* in steps of this trainer */
    double joules, read_at;                       /* since its first step; the clock then, or 0 */
    struct mdm_energy energy;
};

/* Around a step. */
double mdm_meter_begin(struct mdm_meter *m);
void mdm_meter_end(struct mdm_meter *m, double began);

double mdm_step_flops_sum(const struct mdm_step_flops *f);
/* Of the coming step, and if its images were seen whole. */
int mdm_trainer_count(maskdm_trainer *tr, struct mdm_step_flops *now, struct mdm_step_flops *whole);
int mdm_trainer_cost(maskdm_trainer *tr, struct maskdm_cost *out);
/* As if so many steps were done. */
int mdm_trainer_cost_of(maskdm_trainer *tr, int64_t steps, struct maskdm_cost *out);

#endif
