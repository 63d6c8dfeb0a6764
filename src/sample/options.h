/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of what is drawn beside new images.
 */
#ifndef MASKDM_SAMPLE_OPTIONS_H
#define MASKDM_SAMPLE_OPTIONS_H

#include "option/option.h"

struct mdm_inpaint_options {
    int64_t resample, jump_length, surround;
};

extern const struct mdm_option_table mdm_inpaint_options;

extern const struct mdm_option_kind mdm_inpaint_kind;

#endif
