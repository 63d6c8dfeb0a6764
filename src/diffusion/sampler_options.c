/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Samplers.
 */
#include "diffusion/options.h"

#include "base/error.h"
#include "diffusion/method.h"

#include <math.h>

enum { MOST_TIMES = 1001 };

static const struct mdm_option rows[] = {
    {MDM_CHOICE(mdm_sampler_options, sampler), .standard = "ddim", .among = mdm_method_table_at,
     .alias = "method|scheduler|solver|sampling_method|sampler_type|sampler_name",
     .help = "how an image is drawn from noise"},
    {MDM_CHOICE(mdm_sampler_options, spacing), .standard = "auto", .named = mdm_spacing_name,
     .alias = "timestep_spacing|skip_type|time_spacing",
     .help =
         "how the steps divide the way: whole times, time, the log signal-to-noise ratio, as Karras, SD3, Flux or "
         "(leading, trailing, linspace) diffusers have it; auto: what suits process and sampler"},
    {MDM_CHOICE(mdm_sampler_options, karras_ends), .standard = "auto", .named = mdm_spacing_listed_name,
     .needs = "spacing=karras",
     .help = "between the levels of whose times karras lies, as diffusers' euler and heun have it; auto: all the "
             "process's"},
    {MDM_OPTION(mdm_sampler_options, steps_offset), .standard = "0", .min = 0, .max = 100000, .unit = "steps",
     .needs = "spacing=leading|karras_ends=leading", .help = "how much later leading times are"},
    {MDM_CHOICE(mdm_sampler_options, told_times), .standard = "exact", .choices = "exact|nearest|below",
     .help = "which time the network is told that is not whole, of the discrete process: that, or a whole one"},
    {MDM_CHOICE(mdm_sampler_options, final_sigma), .standard = "auto", .choices = "auto|zero|sigma_min",
     .alias = "final_sigmas_type",
     .help = "where the last step ends: at the image, or at the process's least noise; auto: as suits the sampler"},
    {MDM_OPTION(mdm_sampler_options, times), .min = -1, .max = 1e9, .most = MOST_TIMES, .alias = "sigmas|time_list",
     .help = "the times themselves, falling, the last one where it ends; then steps and spacing do not count"},
    {MDM_OPTION(mdm_sampler_options, clip), .standard = "true", .alias = "clip_denoised|clip_sample|clamp",
     .help = "keep predicted images within -1 .. 1"},
    {MDM_OPTION(mdm_sampler_options, clip_range), .standard = "1", .min = 1e-3, .max = 1e6,
     .alias = "clip_sample_range", .needs = "clip=true", .help = "c of clip, which keeps them within -c .. c"},
    {MDM_OPTION(mdm_sampler_options, threshold), .standard = "false", .alias = "thresholding|dynamic_thresholding",
     .help = "instead of clip: keep a predicted image within a limit of its own, above 1, and divide it by that"},
    {MDM_OPTION(mdm_sampler_options, threshold_share), .standard = "0.995", .min = 1e-6, .max = 1,
     .alias = "dynamic_thresholding_ratio|dynamic_thresholding_percentile", .needs = "threshold",
     .help = "share of its values that lie within that limit"},
    {MDM_OPTION(mdm_sampler_options, threshold_max), .standard = "1000", .min = 1, .max = 1e6,
     .alias = "sample_max_value", .needs = "threshold", .help = "most that the limit may be"},
    {MDM_OPTION(mdm_sampler_options, guidance), .standard = "1", .min = 0, .max = 100,
     .alias = "cfg|cfg_scale|guidance_scale|cond_scale|classifier_free_guidance",
     .help = "guidance scale: 1 follows the network, more leads away from a weaker prediction, which is asked for as "
             "well"},
    {MDM_CHOICE(mdm_sampler_options, guidance_by), .standard = "auto", .choices = "auto|routed|masked|path_drop",
     .alias = "guidance_type|guidance_mode", .needs = "guidance",
     .help = "whose weaker prediction: auto: the guide's, or without one the network's without the label; routed, "
             "masked, path_drop: its own of a poorer view, by what it was trained with"},
    {MDM_OPTION(mdm_sampler_options, guidance_low), .standard = "0", .min = 0, .max = INFINITY,
     .alias = "guidance_start|sigma_low|sigma_lo", .needs = "guidance",
     .help = "least ratio of noise to signal at which guidance acts; elsewhere no weaker prediction is asked for"},
    {MDM_OPTION(mdm_sampler_options, guidance_high), .standard = "0", .min = 0, .max = INFINITY,
     .alias = "guidance_stop|guidance_end|sigma_high|sigma_hi", .needs = "guidance",
     .help = "largest such ratio; 0: no end"},
    {MDM_OPTION(mdm_sampler_options, guidance_ends), .standard = "true",
     .help = "guide at these two ratios themselves as well"},
    {MDM_OPTION(mdm_sampler_options, guidance_labels), .standard = "true", .needs = "guidance",
     .help = "tell whoever makes the weaker prediction the labels, where it is not the label that is left away"},
    {MDM_OPTION(mdm_sampler_options, guidance_channels), .standard = "0", .min = 0, .max = 65536, .unit = "channels",
     .needs = "guidance", .help = "guide the first channels of an image alone, as DiT does with 3; 0: all"},
    {MDM_OPTION(mdm_sampler_options, guidance_route_ratio), .standard = "0", .min = 0, .max = 1,
     .needs = "guidance_by=routed",
     .help = "share of the patches that pass the routed blocks by, below 1; 0: the network's "
             "own"},
    {MDM_OPTION(mdm_sampler_options, guidance_parts), .standard = "2", .min = 2, .max = 65536, .unit = "parts",
     .needs = "guidance_by=masked", .help = "parts of an image, each seen by itself"},
    {MDM_OPTION(mdm_sampler_options, seed), .standard = "0", .alias = "random_seed|rng_seed|manual_seed|global_seed",
     .help = "seed of the first image; the next have the next"},
    {MDM_OPTION(mdm_sampler_options, batch_size), .standard = "16", .min = 1, .max = 65536, .unit = "images",
     .alias = "batch|bs|minibatch|sample_batch_size", .help = "images drawn at once; changes no image",
     .may_change = 1},
};
const struct mdm_option_table mdm_sampler_options = {
    "sampler", "", "sampler", rows, MDM_LENGTH(rows), sizeof(struct mdm_sampler_options)};

static const struct mdm_option_table *const tables[] = {&mdm_sampler_options};
const struct mdm_option_kind mdm_sampler_kind = {"sampler", "sampler", tables, 1, NULL};
