/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Noise schedule and what the network predicts.
 */
#include "diffusion/options.h"

#include "base/error.h"

static const struct mdm_option scheduler_rows[] = {
    {MDM_CHOICE(mdm_scheduler_options, schedule),
     .standard = "cosine",
     .choices = "linear|cosine|shifted_cosine",
     .alias = "beta_schedule|noise_schedule|noise_scheduler|schedule_type",
     .help = "how the noise level grows with time"},
    {MDM_OPTION(mdm_scheduler_options, shift_size),
     .standard = "64",
     .min = 1,
     .max = 65536,
     .unit = "pixels",
     .when = "shifted_cosine",
     .help = "image side d of the resolution shift (64/d)^2"},
    {MDM_OPTION(mdm_scheduler_options, timesteps),
     .standard = "1000",
     .min = 1,
     .max = 100000,
     .unit = "steps",
     .alias = "num_timesteps|n_timesteps|num_train_timesteps|diffusion_steps|num_diffusion_steps|noise_steps",
     .help = "length of the noising chain"},
    {MDM_CHOICE(mdm_scheduler_options, prediction),
     .standard = "noise",
     .choices = "noise|x0|v",
     .alias = "objective|prediction_type|pred_type|predict|parameterization",
     .help = "what the network predicts"},
};
const struct mdm_option_table mdm_scheduler_options = {
    "scheduler", "", "noise schedule and prediction", scheduler_rows, MDM_LENGTH(scheduler_rows),
    sizeof(struct mdm_scheduler_options)};

static const struct mdm_option_table *const scheduler_tables[] = {&mdm_scheduler_options};
const struct mdm_option_kind mdm_scheduler_kind = {"scheduler", "noise schedule and prediction", scheduler_tables, 1};
