/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of whole runs, and the composite kinds.
 */
#ifndef MASKDM_RUN_OPTIONS_H
#define MASKDM_RUN_OPTIONS_H

#include "util/option.h"

extern const struct maskdm_option_table maskdm_pretrain_run_options;
extern const struct maskdm_option_table maskdm_finetune_run_options;
extern const struct maskdm_option_table maskdm_sample_run_options;
extern const struct maskdm_option_table maskdm_convert_run_options;

extern const struct maskdm_option_kind maskdm_pretrain_kind;
extern const struct maskdm_option_kind maskdm_finetune_kind;
extern const struct maskdm_option_kind maskdm_sample_kind;
extern const struct maskdm_option_kind maskdm_convert_kind;

#endif
