/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option table of schedulers.
 */
#ifndef MASKDM_DIFFUSION_OPTIONS_H
#define MASKDM_DIFFUSION_OPTIONS_H

#include "option/option.h"

struct mdm_scheduler_options {
    int schedule, prediction;
    int64_t shift_size, timesteps;
};

extern const struct mdm_option_table mdm_scheduler_options;

extern const struct mdm_option_kind mdm_scheduler_kind;

#endif
