/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option table of masks.
 */
#ifndef MASKDM_MASK_OPTIONS_H
#define MASKDM_MASK_OPTIONS_H

#include "option/option.h"

struct mdm_mask_options {
    int type; /* mdm_mask_policy_at() */
    double ratio, ratio_end, detail_ratio;
    int64_t steps, ratio_steps, ratio_levels;
    int ratio_curve; /* enum mdm_mask_curve */
    int64_t block_size, crop_size, cell_size, cell_visible, groups;
};

extern const struct mdm_option_table mdm_mask_options;

extern const struct mdm_option_kind mdm_mask_kind;

#endif
