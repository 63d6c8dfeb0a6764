/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of an export.
 */
#include "run/options.h"

#include "base/error.h"

static const struct mdm_option export_rows[] = {
    {MDM_OPTION(mdm_export_run_options, model), .is_path = 1, .required = 1,
     .alias = "from|input|in|model_path|checkpoint|ckpt|source|src", .help = "model file to read"},
    {MDM_OPTION(mdm_export_run_options, out), .is_path = 1, .required = 1,
     .alias = "output|output_path|output_file|out_file|outfile|to|save_path|save_to|dest|destination",
     .help = "file to write, or folder for diffusers"},
    {MDM_CHOICE(mdm_export_run_options, format), .standard = "auto", .choices = "auto|maskdm|torch|diffusers",
     .alias = "form|type|kind|target",
     .help =
         "a model file of maskdm, a checkpoint for the authors' program, a folder for diffusers; auto: by out's end"},
    {MDM_CHOICE(mdm_export_run_options, weights), .standard = "both", .choices = "both|ema|online",
     .alias = "use_ema|which|which_weights|sets", .help = "which weights of the model"},
    {MDM_CHOICE(mdm_export_run_options, dtype), .standard = "f32", .choices = "f32|f16|bf16",
     .alias = "precision|data_type|torch_dtype|half",
     .help = "type of the weights in the file: float32, float16 or bfloat16"},
};
const struct mdm_option_table mdm_export_run_options = {
    "run", "", "the run itself", export_rows, MDM_LENGTH(export_rows), sizeof(struct mdm_export_run_options)};

static const struct mdm_option_table *const export_tables[] = {&mdm_export_run_options};
const struct mdm_option_kind mdm_export_kind = {"export", "a model file in another form", export_tables,
                                                MDM_LENGTH(export_tables), NULL};
