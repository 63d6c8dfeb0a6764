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
    {MDM_OPTION(mdm_mask_options, steps),
     .standard = "0",
     .min = 0,
     .max = 1e12,
     .unit = "steps",
     .when = "patch|block|crop|grid",
     .alias = "mask_until|mask_duration|unmask_after|unmask_at",
     .help = "steps behind which whole images are trained on; 0: none, it is masked to the end"},
    {MDM_OPTION(mdm_mask_options, ratio),
     .standard = "0.75",
     .min = 0,
     .max = 1,
     .when = "patch|block",
     .alias = "masking_ratio|mask_rate|mask_prob|mask_fraction|mask_percent",
     .help = "share of the patches that is hidden, below 1"},
    {MDM_OPTION(mdm_mask_options, ratio_end),
     .min = 0,
     .max = 1,
     .when = "patch|block",
     .alias = "mask_ratio_final|final_mask_ratio|mask_ratio_target",
     .help = "share that is hidden in the end, where it changes within the run; unset: it does not"},
    {MDM_OPTION(mdm_mask_options, ratio_steps),
     .standard = "0",
     .min = 0,
     .max = 1e12,
     .unit = "steps",
     .when = "patch|block",
     .needs = "ratio_end",
     .alias = "mask_ratio_duration|mask_ratio_decay_steps",
     .help = "steps over which it changes, and behind which it stays"},
    {MDM_CHOICE(mdm_mask_options, ratio_curve),
     .standard = "linear",
     .choices = "linear|cosine",
     .when = "patch|block",
     .needs = "ratio_end",
     .alias = "mask_ratio_schedule|mask_ratio_func",
     .help = "how it changes: evenly, or slowly at both ends"},
    {MDM_OPTION(mdm_mask_options, ratio_levels),
     .standard = "8",
     .min = 2,
     .max = MDM_MASK_LEVELS,
     .when = "patch|block",
     .needs = "ratio_end",
     .help = "shares that it takes one after the other, each for as many steps"},
    {MDM_OPTION(mdm_mask_options, detail_ratio),
     .min = 0,
     .max = 1,
     .when = "patch|block",
     .help = "the same of the patches of details, where form=wavelet has such; unset: as mask_ratio"},
    {MDM_OPTION(mdm_mask_options, block_size),
     .min = 1,
     .max = 4096,
     .unit = "patches",
     .when = "block",
     .alias = "mask_block|mask_size",
     .help = "side of the square blocks that are hidden whole; unset: 2 where such blocks tile the grid, else 1"},
    {MDM_OPTION(mdm_mask_options, crop_size),
     .min = 1,
     .max = 4096,
     .unit = "patches",
     .when = "crop",
     .required = 1,
     .alias = "mask_crop",
     .help = "side of the square that stays visible"},
    {MDM_OPTION(mdm_mask_options, cell_size),
     .min = 1,
     .max = 4096,
     .unit = "patches",
     .when = "grid|partition",
     .alias = "mask_cell",
     .help = "side of the square cells that the grid is cut into; unset: of partition no cells, of grid 2, or where "
             "these do not tile it none, and as large a share of all"},
    {MDM_OPTION(mdm_mask_options, cell_visible),
     .standard = "1",
     .min = 1,
     .max = 16777216,
     .unit = "patches",
     .when = "grid",
     .alias = "mask_keep|mask_visible",
     .help = "patches of each cell that stay visible"},
    {MDM_OPTION(mdm_mask_options, groups),
     .standard = "2",
     .min = 1,
     .max = MDM_MASK_GROUPS,
     .when = "partition",
     .alias = "mask_parts",
     .help = "groups of patches that an image is trained in, each by itself, under noise of its own"},
};
const struct mdm_option_table mdm_mask_options = {
    "mask", "mask_", "which patches are hidden in training", mask_rows, MDM_LENGTH(mask_rows),
    sizeof(struct mdm_mask_options)};

static const struct mdm_option_table *const mask_tables[] = {&mdm_mask_options};
const struct mdm_option_kind mdm_mask_kind = {"mask", "which patches are hidden in training", mask_tables, 1, NULL};
