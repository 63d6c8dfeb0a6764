/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of merging an adapter.
 */
#include "run/options.h"

#include "base/error.h"

static const struct mdm_option merge_rows[] = {
    {MDM_OPTION(mdm_merge_run_options, model), .is_path = 1, .required = 1,
     .alias = "base|base_model|from|input|in|model_path|checkpoint|ckpt|init",
     .help = "model file that the adapter was trained beside"},
    {MDM_OPTION(mdm_merge_run_options, adapter), .is_path = 1, .required = 1,
     .alias = "lora|lora_path|adapter_path|lora_weights", .help = "file of adapters"},
    {MDM_OPTION(mdm_merge_run_options, out), .is_path = 1, .required = 1,
     .alias = "output|output_path|output_file|out_file|outfile|to|save_path|save_to|dest|destination",
     .help = "model file to write"},
    {MDM_OPTION(mdm_merge_run_options, any_base), .standard = "false",
     .help = "take a model of other weights too, as long as the shapes fit"},
};
const struct mdm_option_table mdm_merge_run_options = {
    "run", "", "the run itself", merge_rows, MDM_LENGTH(merge_rows), sizeof(struct mdm_merge_run_options)};

static const struct mdm_option_table *const merge_tables[] = {&mdm_merge_run_options};
const struct mdm_option_kind mdm_merge_kind = {"merge", "a model file of a model and an adapter", merge_tables,
                                               MDM_LENGTH(merge_tables), NULL};
