/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which noise schedule a checkpoint was trained with, whose betas its program keeps beside the weights, and how that
 * program draws.
 */
#ifndef MASKDM_RUN_CONVERT_SCHEDULE_H
#define MASKDM_RUN_CONVERT_SCHEDULE_H

#include "base/log.h"
#include "diffusion/scheduler.h"
#include "model/model.h"
#include "tensorfile/tensorfile.h"

/* The scheduler that the options ask for; what they leave open is what the network's authors train with, unless that
 * is another process, and follows tensor `betas`, where there is one (or -1). A schedule that contradicts it is worth
 * a warning. */
int mdm_convert_schedule(maskdm_scheduler **out, const maskdm_options *options, const struct mdm_network *network,
                         struct mdm_tensorfile *s, int64_t betas, const struct mdm_log *log);
/* How the network's authors draw, for a model of their process; others are left to be drawn as anything here is. */
int mdm_convert_sampler(maskdm_model *model, const struct mdm_tensorfile *s);

#endif
