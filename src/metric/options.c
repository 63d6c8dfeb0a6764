/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Metrics.
 */
#include "metric/options.h"

#include "base/error.h"

static const struct mdm_option rows[] = {
    {MDM_OPTION(mdm_metric_options, subsets), .standard = "100", .min = 1, .max = 100000, .unit = "subsets",
     .alias = "kid_subsets|num_subsets|n_subsets", .needs = "reference",
     .help = "KID: how many subsets its mean and deviation are of"},
    {MDM_OPTION(mdm_metric_options, subset_size), .standard = "1000", .min = 2, .max = 1000000, .unit = "images",
     .alias = "kid_subset_size|subset|max_subset_size",
     .needs = "reference",
     .help = "KID: images of either side in a subset, all where there are fewer"},
    {MDM_OPTION(mdm_metric_options, kernel_degree), .standard = "3", .min = 1, .max = 16,
     .alias = "kid_degree|degree", .needs = "reference",
     .help = "KID: exponent of the kernel (x.y * scale + offset)^degree"},
    {MDM_OPTION(mdm_metric_options, kernel_scale), .standard = "0", .min = 0, .max = 1e9, .alias = "kid_gamma|gamma",
     .needs = "reference",
     .help = "KID: scale of the kernel; 0: 1 over the width of the features"},
    {MDM_OPTION(mdm_metric_options, kernel_offset), .standard = "1", .min = -1e9, .max = 1e9,
     .alias = "kid_coef0|coef0", .needs = "reference",
     .help = "KID: offset of the kernel"},
    {MDM_OPTION(mdm_metric_options, neighbours), .standard = "5", .min = 1, .max = 1000,
     .alias = "nearest_k|k|prc_neighborhood|nhood_size|nhood_sizes",
     .needs = "reference",
     .help = "precision, recall, density, coverage: an image's sphere reaches as far as this neighbour of its set"},
    {MDM_OPTION(mdm_metric_options, infinity_points), .standard = "15", .min = 2, .max = 1000, .unit = "subsets",
     .alias = "num_points", .needs = "reference",
     .help = "extrapolation: how many numbers of images the distance is measured at"},
    {MDM_OPTION(mdm_metric_options, infinity_least), .standard = "0", .min = 0, .max = 1e9, .unit = "images",
     .alias = "min_fake", .needs = "reference",
     .help = "extrapolation: least of these numbers; 0: a tenth of the images, 2 at least"},
    {MDM_OPTION(mdm_metric_options, metric_seed), .standard = "0", .alias = "rng_seed",
     .needs = "reference",
     .help = "of the subsets that are drawn"},
};
const struct mdm_option_table mdm_metric_options = {
    "metric", "", "distances between sets of features", rows, MDM_LENGTH(rows), sizeof(struct mdm_metric_options)};

static const struct mdm_option_table *const tables[] = {&mdm_metric_options};
const struct mdm_option_kind mdm_metric_kind = {"metric", "distances between sets of features", tables, 1, NULL};
