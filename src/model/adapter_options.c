/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Low-rank adapters.
 */
#include "model/adapter.h"

static const struct mdm_option lora_rows[] = {
    {MDM_OPTION(mdm_lora_options, rank), .standard = "0", .min = 0, .max = 4096,
     .alias = "r|lora_r|lora_dim|network_dim",
     .help = "rank of the adapters that are trained in place of the weights; 0: none"},
    {MDM_OPTION(mdm_lora_options, alpha), .standard = "0", .min = 0, .max = 1e6, .alias = "lora_scale|network_alpha",
     .help = "their product is multiplied with alpha / rank; 0: the rank"},
    {MDM_OPTION(mdm_lora_options, on), .standard = "*block*att*,*block*mlp*",
     .alias = "target_modules|lora_targets|lora_target_modules",
     .help = "matrices that have adapters: names with * and ?, separated by commas"},
};
const struct mdm_option_table mdm_lora_options = {
    "lora", "lora_", "low-rank adapters", lora_rows, MDM_LENGTH(lora_rows), sizeof(struct mdm_lora_options)};

static const struct mdm_option_table *const lora_tables[] = {&mdm_lora_options};
const struct mdm_option_kind mdm_lora_kind = {"lora", "low-rank adapters", lora_tables, 1, NULL};
