/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which noise schedule a checkpoint was trained with: its program keeps the betas beside the weights.
 */
#ifndef MASKDM_RUN_CONVERT_SCHEDULE_H
#define MASKDM_RUN_CONVERT_SCHEDULE_H

#include "base/log.h"
#include "diffusion/scheduler.h"
#include "model/network.h"
#include "tensorfile/tensorfile.h"

/* The scheduler that the options ask for; what they leave open is what the network's authors train with, unless that
 * is another process, and follows tensor `betas`, where there is one (or -1). A schedule that contradicts it is worth
 * a warning. */
int mdm_convert_schedule(maskdm_scheduler **out, const maskdm_options *options, const struct mdm_network *network,
                         struct mdm_tensorfile *s, int64_t betas, const struct mdm_log *log);

#endif
