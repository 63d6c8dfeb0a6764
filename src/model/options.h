/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of the networks.
 */
#ifndef MASKDM_MODEL_OPTIONS_H
#define MASKDM_MODEL_OPTIONS_H

#include "option/option.h"

extern const struct mdm_option_table mdm_uvit_options;

extern const struct mdm_option_kind mdm_uvit_kind;

#endif
