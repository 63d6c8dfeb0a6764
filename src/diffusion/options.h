/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of masks and schedulers.
 */
#ifndef MASKDM_DIFFUSION_OPTIONS_H
#define MASKDM_DIFFUSION_OPTIONS_H

#include "util/option.h"

extern const struct maskdm_option_table maskdm_mask_options;
extern const struct maskdm_option_table maskdm_scheduler_options;

extern const struct maskdm_option_kind maskdm_mask_kind;
extern const struct maskdm_option_kind maskdm_scheduler_kind;

#endif
