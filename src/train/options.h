/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of optimizer, running mean and trainer.
 */
#ifndef MASKDM_TRAIN_OPTIONS_H
#define MASKDM_TRAIN_OPTIONS_H

#include "util/option.h"

extern const struct maskdm_option_table maskdm_optimizer_options;
extern const struct maskdm_option_table maskdm_ema_options;
extern const struct maskdm_option_table maskdm_trainer_options;

extern const struct maskdm_option_kind maskdm_optimizer_kind;
extern const struct maskdm_option_kind maskdm_ema_kind;
extern const struct maskdm_option_kind maskdm_trainer_kind;

#endif
