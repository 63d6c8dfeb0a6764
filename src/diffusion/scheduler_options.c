/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which process, what the network predicts in it, and the loss's weights. Every process brings a table of its own.
 */
#include "diffusion/options.h"

#include "base/error.h"
#include "diffusion/prediction.h"
#include "diffusion/process.h"
#include "diffusion/time_draw.h"
#include "diffusion/weight.h"

static const struct mdm_option rows[] = {
    {MDM_CHOICE(mdm_scheduler_options, process), .standard = "discrete", .among = mdm_process_table_at,
     .alias = "diffusion|diffusion_process|framework|precond", .help = "how an image turns into noise"},
    {MDM_CHOICE(mdm_scheduler_options, prediction), .standard = "auto", .named = mdm_prediction_name,
     .alias = "objective|prediction_type|pred_type|predict|parameterization",
     .help = "what the network predicts; auto: noise, edm, ve or velocity, as suits the process"},
    {MDM_CHOICE(mdm_scheduler_options, weight), .in_stage = 1, .standard = "none", .named = mdm_weight_name,
     .alias = "loss_weight|loss_weighting|weighting|weighting_scheme",
     .help = "whose error the loss weighs, the noise's, x0's or v's, or by how much; none: the prediction's own"},
    {MDM_OPTION(mdm_scheduler_options, weight_gamma), .in_stage = 1, .standard = "5", .min = 0, .max = 1e6,
     .alias = "snr_gamma|min_snr_gamma|p2_gamma", .help = "bound of min_snr, or exponent of p2 (there 1 is usual)"},
    {MDM_OPTION(mdm_scheduler_options, weight_offset), .in_stage = 1,
     .standard = "1", .min = -1e6, .max = 1e6, .alias = "p2_k",
     .help = "k of p2, or b of sigmoid"},
    {MDM_OPTION(mdm_scheduler_options, weight_floor), .standard = "0.05", .min = 0, .max = 1, .alias = "t_eps",
     .help = "noise below which weights v and sigma_sqrt, and slopes of euler and heun in flow, grow no more"},
    {MDM_CHOICE(mdm_scheduler_options, time_draw), .in_stage = 1, .standard = "auto", .named = mdm_time_draw_name,
     .alias = "timestep_sampling|t_sampling|noise_distribution",
     .help = "how training draws its times: evenly, by the logit of the way to the noise, by ln(noise / signal), "
             "with heavy tails; auto: as the process has it"},
    {MDM_OPTION(mdm_scheduler_options, time_mean), .in_stage = 1, .min = -20, .max = 20, .alias = "logit_mean",
     .help = "mean of that logit or logarithm; above 0 there is more noise; unset: 0, or what log_sigma_mean says"},
    {MDM_OPTION(mdm_scheduler_options, time_std), .in_stage = 1, .min = 0.01, .max = 20, .alias = "logit_std",
     .help = "its deviation; unset: 1, or what log_sigma_std says"},
    {MDM_OPTION(mdm_scheduler_options, mode_scale), .in_stage = 1, .min = -1, .max = 1.75,
     .help = "weight of the tails of time_draw mode; unset: 1.29"},
    {MDM_CHOICE(mdm_scheduler_options, time_spread), .in_stage = 1,
     .standard = "independent", .named = mdm_time_spread_name,
     .alias = "low_discrepancy|stratified",
     .help = "whether each image's time is drawn by itself, or those of images in a row cover all times evenly"},
};
const struct mdm_option_table mdm_scheduler_options = {
    "scheduler", "", "process, prediction and weight", rows, MDM_LENGTH(rows), sizeof(struct mdm_scheduler_options)};

static const struct mdm_option_table *const tables[] = {&mdm_scheduler_options};
const struct mdm_option_kind mdm_scheduler_kind = {"scheduler", "process, prediction and weight", tables, 1, NULL};
