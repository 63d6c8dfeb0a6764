/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of a conversion.
 */
#include "run/options.h"

#include "base/error.h"
#include "diffusion/options.h"

static const struct mdm_option rows[] = {
    {MDM_OPTION(mdm_convert_run_options, from),
     .is_path = 1,
     .required = 1,
     .alias = "input|input_file|in|checkpoint|checkpoint_path|ckpt|ckpt_path|model|model_path|source|src|init",
     .help = "checkpoint of the authors' program, or a folder that diffusers wrote"},
    {MDM_OPTION(mdm_convert_run_options, out),
     .is_path = 1,
     .required = 1,
     .alias = "output|output_path|output_file|out_file|outfile|to|save_path|save_to|dest|destination",
     .help = "model file to write"},
    {MDM_OPTION(mdm_convert_run_options, ema_from),
     .standard = "",
     .help = "where in the checkpoint the EMA is, such as ema.ema_model; none: leave it out; unset: by its names"},
    {MDM_OPTION(mdm_convert_run_options, online_from),
     .standard = "",
     .help = "where the online weights are, such as model; none: leave them out; unset: by their names"},
    {MDM_OPTION(mdm_convert_run_options, heads),
     .standard = "0",
     .min = 0,
     .max = 256,
     .alias = "num_heads|n_heads|n_head|num_attention_heads|attention_heads",
     .help = "attention heads, which no shape shows; 0: one for each 64 of dim, as the authors have it"},
    {MDM_OPTION(mdm_convert_run_options, image_size),
     .min = 1,
     .max = 4096,
     .most = 2,
     .unit = "pixels",
     .alias = "resolution|size|img_size|image_resolution",
     .help = "height and width of the images, where the patches make no square"},
};
const struct mdm_option_table mdm_convert_run_options = {
    "run", "", "the run itself", rows, MDM_LENGTH(rows),
    sizeof(struct mdm_convert_run_options)};

static const struct mdm_option_table *const tables[] = {&mdm_convert_run_options, &mdm_scheduler_options};
const struct mdm_option_kind mdm_convert_kind = {"convert", "a model file of a PyTorch checkpoint", tables,
                                                 MDM_LENGTH(tables), NULL};
