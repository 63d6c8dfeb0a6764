/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of whole runs, and the composite kinds.
 */
#ifndef MASKDM_RUN_OPTIONS_H
#define MASKDM_RUN_OPTIONS_H

#include "option/option.h"

extern const struct mdm_option_table mdm_pretrain_run_options;
extern const struct mdm_option_table mdm_finetune_run_options;
extern const struct mdm_option_table mdm_sample_run_options;
extern const struct mdm_option_table mdm_convert_run_options;

extern const struct mdm_option_kind mdm_pretrain_kind;
extern const struct mdm_option_kind mdm_finetune_kind;
extern const struct mdm_option_kind mdm_sample_kind;
extern const struct mdm_option_kind mdm_convert_kind;

#endif
