/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the learning rate goes from step to step: a table of schedules and one of the shapes of their slopes (lr.c).
 */
#ifndef MASKDM_TRAIN_LR_H
#define MASKDM_TRAIN_LR_H

#include "train/options.h"

struct mdm_lr_form {
    const char *name;
    /* What the rate is multiplied by behind the warm-up, from 1 to 0. */
    double (*factor)(const struct mdm_lr_options *r, double step);
    int ends, decays, turns; /* it needs lr_steps; it has decay_steps; it rises again behind lr_steps */
};
const struct mdm_lr_form *mdm_lr_form_of(const struct mdm_lr_options *r);
const char *mdm_lr_schedule_name(int i); /* NULL: none */
const char *mdm_lr_shape_name(int i);
/* What the rate is multiplied by at step `at`, from 0. */
double mdm_lr_factor(const struct mdm_lr_options *r, int64_t at);

/* ---- lr_options.c ---- */
/* The options as they are meant; MASKDM_EINVAL for slopes that do not fit between the first step and the last. */
int mdm_lr_read(struct mdm_lr_options *out, const maskdm_options *o);
/* The options of a run of so many steps, at whose end a schedule that is not told otherwise is down; and the same. Of
 * these, `masked` come before the mask ends (0: it does not), behind which a rate that falls begins to. */
int mdm_lr_settle(maskdm_options *o, int64_t steps, int64_t masked);

#endif
