/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of optimizer, running mean and trainer.
 */
#ifndef MASKDM_TRAIN_OPTIONS_H
#define MASKDM_TRAIN_OPTIONS_H

#include "backend/backend.h"
#include "option/option.h"

struct mdm_optimizer_options {
    double lr, beta1, beta2, eps, weight_decay;
    int64_t warmup_steps;
    double clip_norm;
};

struct mdm_ema_options {
    double decay;
    int64_t start, every;
    double power, inv_gamma;
};

struct mdm_trainer_options {
    int64_t batch_size; /* 0: unset */
    int64_t batch_tokens; /* 0: batch_size counts */
    int64_t accumulate;
    enum mdm_loss_kind loss;
    double loss_delta; /* 0: the loss's own */
    double flip;
    int64_t seed, max_bad_steps;
    double label_dropout;
    const char *freeze;
};

extern const struct mdm_option_table mdm_optimizer_options;
extern const struct mdm_option_table mdm_ema_options;
extern const struct mdm_option_table mdm_trainer_options;

extern const struct mdm_option_kind mdm_optimizer_kind;
extern const struct mdm_option_kind mdm_ema_kind;
extern const struct mdm_option_kind mdm_trainer_kind;

#endif
