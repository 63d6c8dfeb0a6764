/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of the networks.
 */
#ifndef MASKDM_MODEL_OPTIONS_H
#define MASKDM_MODEL_OPTIONS_H

#include "util/option.h"

extern const struct maskdm_option_table maskdm_uvit_options;

extern const struct maskdm_option_kind maskdm_uvit_kind;

#endif
