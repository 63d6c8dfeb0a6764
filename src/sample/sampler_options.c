/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Samplers.
 */
#include "sample/options.h"

#include "base/error.h"

static const struct mdm_option sampler_rows[] = {
    {MDM_CHOICE(mdm_sampler_options, sampler),
     .standard = "ddim",
     .choices = "ddpm|ddim|dpmpp",
     .alias = "method|scheduler|solver|sampling_method|sampler_type|sampler_name",
     .help = "how an image is drawn from noise"},
    {MDM_OPTION(mdm_sampler_options, steps),
     .standard = "50",
     .min = 1,
     .max = 100000,
     .unit = "steps",
     .when = "ddim|dpmpp",
     .alias = "num_steps|n_steps|sample_steps|sampling_steps|sampling_timesteps|num_sampling_steps|"
              "inference_steps|num_inference_steps|ddim_steps|timestep_respacing|nfe",
     .help = "network evaluations per image"},
    {MDM_OPTION(mdm_sampler_options, eta),
     .standard = "0",
     .min = 0,
     .max = 100,
     .when = "ddim",
     .alias = "ddim_eta|ddim_sampling_eta",
     .help = "share of fresh noise in each step; 0: none"},
    {MDM_CHOICE(mdm_sampler_options, spacing),
     .standard = "logsnr",
     .choices = "time|logsnr",
     .when = "dpmpp",
     .help = "what the steps divide evenly: time, or the log signal-to-noise ratio"},
    {MDM_OPTION(mdm_sampler_options, guidance),
     .standard = "1",
     .min = 0,
     .max = 100,
     .alias = "cfg|cfg_scale|guidance_scale|cond_scale|scale|classifier_free_guidance",
     .help = "guidance scale: 1 follows the label, more exaggerates it at twice the cost; for networks with labels"},
    {MDM_OPTION(mdm_sampler_options, clip),
     .standard = "true",
     .alias = "clip_denoised|clip_sample|clamp",
     .help = "keep predicted images within -1 .. 1"},
    {MDM_OPTION(mdm_sampler_options, seed),
     .standard = "0",
     .alias = "random_seed|rng_seed|manual_seed|global_seed",
     .help = "seed of the first image; the next have the next"},
    {MDM_OPTION(mdm_sampler_options, batch_size),
     .standard = "16",
     .min = 1,
     .max = 65536,
     .unit = "images",
     .alias = "batch|bs|minibatch|sample_batch_size",
     .help = "images drawn at once; changes no image",
     .may_change = 1},
};
const struct mdm_option_table mdm_sampler_options = {
    "sampler", "", "sampler", sampler_rows, MDM_LENGTH(sampler_rows),
    sizeof(struct mdm_sampler_options)};

static const struct mdm_option_table *const sampler_tables[] = {&mdm_sampler_options};
const struct mdm_option_kind mdm_sampler_kind = {"sampler", "sampler", sampler_tables, 1};
