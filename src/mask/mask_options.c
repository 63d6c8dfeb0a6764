/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mask policies.
 */
#include "mask/options.h"

#include "base/error.h"
#include "mask/mask.h"

static const char *policy_name(int i)
{
    return mdm_mask_policy_at(i) ? mdm_mask_policy_at(i)->name : NULL;
}

static const struct mdm_option mask_rows[] = {
    {MDM_CHOICE(mdm_mask_options, type),
     .standard = "none",
     .named = policy_name,
     .alias = "masking|mask_type|mask_strategy|mask_mode",
     .help = "which patches are hidden from the network in training"},
    {MDM_OPTION(mdm_mask_options, ratio),
     .standard = "0.75",
     .min = 0,
     .max = 1,
     .when = "patch|block",
     .alias = "masking_ratio|mask_rate|mask_prob|mask_fraction|mask_percent",
     .help = "share of the patches that is hidden, below 1"},
    {MDM_OPTION(mdm_mask_options, block_size),
     .standard = "2",
     .min = 1,
     .max = 4096,
     .unit = "patches",
     .when = "block",
     .alias = "mask_block|mask_size",
     .help = "side of the square blocks that are hidden whole"},
    {MDM_OPTION(mdm_mask_options, crop_size),
     .min = 1,
     .max = 4096,
     .unit = "patches",
     .when = "crop",
     .required = 1,
     .alias = "mask_crop|crop",
     .help = "side of the square that stays visible"},
    {MDM_OPTION(mdm_mask_options, cell_size),
     .standard = "2",
     .min = 1,
     .max = 4096,
     .unit = "patches",
     .when = "grid",
     .alias = "mask_cell",
     .help = "side of the square cells that the grid is cut into"},
    {MDM_OPTION(mdm_mask_options, cell_visible),
     .standard = "1",
     .min = 1,
     .max = 16777216,
     .unit = "patches",
     .when = "grid",
     .alias = "mask_keep|mask_visible",
     .help = "patches of each cell that stay visible"},
};
const struct mdm_option_table mdm_mask_options = {
    "mask", "mask_", "which patches are hidden in training", mask_rows, MDM_LENGTH(mask_rows),
    sizeof(struct mdm_mask_options)};

static const struct mdm_option_table *const mask_tables[] = {&mdm_mask_options};
const struct mdm_option_kind mdm_mask_kind = {"mask", "which patches are hidden in training", mask_tables, 1};
