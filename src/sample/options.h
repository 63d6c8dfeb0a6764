/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option table of samplers.
 */
#ifndef MASKDM_SAMPLE_OPTIONS_H
#define MASKDM_SAMPLE_OPTIONS_H

#include "option/option.h"

struct mdm_sampler_options {
    int sampler, spacing, clip;
    int64_t steps;
    double eta, guidance;
    int64_t seed, batch_size;
};

extern const struct mdm_option_table mdm_sampler_options;

extern const struct mdm_option_kind mdm_sampler_kind;

#endif
