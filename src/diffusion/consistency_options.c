/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of consistency tuning. t and r are ratios of noise to signal.
 */
#include "base/error.h"
#include "diffusion/consistency.h"

#include <math.h>

static const struct mdm_option rows[] = {
    {MDM_CHOICE(mdm_consistency_options, mapping), .standard = "sigmoid", .choices = "sigmoid|const", .alias = "adj",
     .help = "how r follows from t: as k and b have it, or by the same share of every t"},
    {MDM_OPTION(mdm_consistency_options, q), .standard = "2", .min = 1.001, .max = 65536, .alias = "decay_factor",
     .help = "how many times nearer every stage brings r to t"},
    {MDM_OPTION(mdm_consistency_options, k), .standard = "8", .min = 0, .max = 1000, .when = "sigmoid",
     .help = "how much farther r is from t where there is little noise"},
    {MDM_OPTION(mdm_consistency_options, b), .standard = "1", .min = 0, .max = 1000, .when = "sigmoid",
     .help = "how fast that ends as noise grows"},
    {MDM_OPTION(mdm_consistency_options, huber), .standard = "0", .min = 0, .max = 1000,
     .help = "size below which an image's error counts by its square; 0: it never does"},
    {MDM_OPTION(mdm_consistency_options, mean), .standard = "-1.1", .min = -20, .max = 20, .alias = "p_mean",
     .help = "mean of ln t"},
    {MDM_OPTION(mdm_consistency_options, std), .standard = "2", .min = 0, .max = 20, .alias = "p_std",
     .help = "deviation of ln t"},
    {MDM_OPTION(mdm_consistency_options, stages), .standard = "8", .min = 1, .max = 64, .unit = "stages",
     .help = "stages, the last of which goes on to the end"},
    {MDM_OPTION(mdm_consistency_options, every), .min = 1, .max = INFINITY, .unit = "steps", .alias = "double",
     .help = "steps of a stage; in a run unset: an equal share of its steps for each"},
    {MDM_OPTION(mdm_consistency_options, floor), .min = 0, .max = 1000,
     .help = "t below which an error's weight, 1 over t - r, grows no more; unset: 0.05 where x0 is predicted, else "
             "0"},
};
const struct mdm_option_table mdm_consistency_options = {
    "consistency", "tune_", "consistency tuning", rows, MDM_LENGTH(rows), sizeof(struct mdm_consistency_options)};

static const struct mdm_option_table *const tables[] = {&mdm_consistency_options};
const struct mdm_option_kind mdm_consistency_kind = {"consistency", "consistency tuning", tables, 1, NULL};
