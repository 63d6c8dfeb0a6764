/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of an average that is made afterwards.
 */
#include "run/options.h"

#include "base/error.h"
#include "train/ema.h"

#include <math.h>

static const struct mdm_option average_rows[] = {
    {MDM_OPTION(mdm_average_run_options, run), .is_path = 1, .required = 1,
     .alias = "from|input|in|run_dir|folder|snapshots|source|model",
     .help = "folder of a run that was told snapshot_every"},
    {MDM_OPTION(mdm_average_run_options, out), .is_path = 1, .required = 1,
     .alias = "output|output_path|output_file|out_file|outfile|to|save_path|save_to|dest|destination",
     .help = "model file to write"},
    {MDM_OPTION(mdm_average_run_options, std), .required = 1, .min = MDM_EMA_NARROWEST, .max = MDM_EMA_WIDEST,
     .alias = "ema_std|width|sigma_rel|outstd",
     .help = "width of the average: the deviation of its weights, as a share of the run"},
    {MDM_OPTION(mdm_average_run_options, step), .standard = "0", .min = 0, .max = INFINITY, .unit = "steps",
     .alias = "at|until|outkimg", .help = "step of the snapshot at which the average ends; 0: the last"},
    {MDM_CHOICE(mdm_average_run_options, dtype), .standard = "f32", .choices = "f32|f16|bf16",
     .alias = "precision|data_type|torch_dtype|half",
     .help = "type of the weights in the file: float32, float16 or bfloat16"},
};
const struct mdm_option_table mdm_average_run_options = {
    "run", "", "the run itself", average_rows, MDM_LENGTH(average_rows), sizeof(struct mdm_average_run_options)};

static const struct mdm_option_table *const average_tables[] = {&mdm_average_run_options};
const struct mdm_option_kind mdm_average_kind = {"average", "an average of a run's snapshots", average_tables,
                                                 MDM_LENGTH(average_tables), NULL};
