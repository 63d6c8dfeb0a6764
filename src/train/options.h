/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of optimizer, running mean and trainer.
 */
#ifndef MASKDM_TRAIN_OPTIONS_H
#define MASKDM_TRAIN_OPTIONS_H

#include "backend/backend.h"
#include "data/augment.h"
#include "option/option.h"

struct mdm_optimizer_options {
    int optimizer; /* of optimizer_list.c */
    double lr, beta1, beta2, eps, weight_decay, clip_norm;
    double muon_lr, muon_weight_decay, muon_momentum;
    int muon_nesterov;
    int muon_scale; /* of muon.c's table */
    int64_t muon_steps;
};

struct mdm_lr_options {
    int lr_schedule; /* of lr.c's tables, as the shapes */
    double warmup_steps;
    int warmup_shape;
    double warmup_from;
    int64_t lr_steps, decay_steps; /* 0: unset */
    int decay_shape;
    double decay_to, decay_after;
};

struct mdm_ema_options {
    int type; /* of ema.c's table */
    double decay;
    int64_t start, every;
    double power, inv_gamma;
    struct mdm_float_list std;
    double halflife, ramp;
};

struct mdm_trainer_options {
    int64_t batch_size; /* 0: unset */
    int64_t batch_tokens; /* 0: batch_size counts */
    int64_t accumulate;
    enum mdm_loss_kind loss;
    double loss_delta; /* 0: the loss's own */
    struct mdm_augment augment;
    int64_t seed, max_bad_steps;
    double label_dropout;
    const char *freeze;
    double forget_power, retain_share, retain_weight;
};

extern const struct mdm_option_table mdm_optimizer_options;
extern const struct mdm_option_table mdm_lr_options;
extern const struct mdm_option_table mdm_ema_options;
extern const struct mdm_option_table mdm_trainer_options;

extern const struct mdm_option_kind mdm_optimizer_kind;
extern const struct mdm_option_kind mdm_ema_kind;
extern const struct mdm_option_kind mdm_trainer_kind;

#endif
