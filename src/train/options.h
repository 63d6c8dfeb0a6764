/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of optimizer, running mean and trainer.
 */
#ifndef MASKDM_TRAIN_OPTIONS_H
#define MASKDM_TRAIN_OPTIONS_H

#include "option/option.h"

extern const struct mdm_option_table mdm_optimizer_options;
extern const struct mdm_option_table mdm_ema_options;
extern const struct mdm_option_table mdm_trainer_options;

extern const struct mdm_option_kind mdm_optimizer_kind;
extern const struct mdm_option_kind mdm_ema_kind;
extern const struct mdm_option_kind mdm_trainer_kind;

#endif
