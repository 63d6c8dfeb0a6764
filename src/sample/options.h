/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option table of samplers.
 */
#ifndef MASKDM_SAMPLE_OPTIONS_H
#define MASKDM_SAMPLE_OPTIONS_H

#include "util/option.h"

extern const struct maskdm_option_table maskdm_sampler_options;

extern const struct maskdm_option_kind maskdm_sampler_kind;

#endif
