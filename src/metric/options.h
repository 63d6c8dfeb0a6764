/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What decides a metric's number beside the features.
 */
#ifndef MASKDM_METRIC_OPTIONS_H
#define MASKDM_METRIC_OPTIONS_H

#include "option/option.h"

struct mdm_metric_options {
    int64_t subsets, subset_size, kernel_degree;
    double kernel_scale, kernel_offset;
    int64_t neighbours, infinity_points, infinity_least, metric_seed;
};

extern const struct mdm_option_table mdm_metric_options;

extern const struct mdm_option_kind mdm_metric_kind;

#endif
