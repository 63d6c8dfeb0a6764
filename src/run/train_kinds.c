/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All that a run of training can be told, and what is best where it is told nothing.
 */
#include "run/options.h"

#include "backend/options.h"
#include "data/options.h"
#include "diffusion/consistency.h"
#include "diffusion/options.h"
#include "mask/options.h"
#include "model/adapter.h"
#include "model/options.h"
#include "train/options.h"

static const struct mdm_option_table *const pretrain_tables[] = {
    &mdm_pretrain_run_options, &mdm_network_options,   &mdm_mask_options,
    &mdm_scheduler_options,    &mdm_optimizer_options, &mdm_lr_options,
    &mdm_ema_options,          &mdm_images_options,    &mdm_trainer_options,
    &mdm_device_options,
};

/* What came out best of what was measured (doc/acceleration.md, doc/experiments.md); whoever chooses a process gets
 * the prediction that is its own, and who chooses a mask how long it lasts. */
#define PACE {"warmup_steps", "20", NULL}, {"beta1", "0.9", NULL}, {"beta2", "0.95", NULL}
#define NETWORK                                                                                        \
    {"network", "jit", NULL}, {"dim", "128", "network"}, {"depth", "6", "network"},                    \
        {"heads", "4", "network|dim"}, {"bottleneck", "32", "network"}, {"in_context_len", "0", "network"}
#define FRESH                                                                                          \
    NETWORK, {"prediction", "x0", "process"}, {"time_spread", "even", NULL},                           \
        {"lr", "2e-3", "network|dim"}, {"lr", "1e-3", NULL}, PACE
#define BLOCKS "mask_ratio|mask_ratio_end|mask_detail_ratio|mask_block_size" /* which a grid has not */
#define OWN_MASK "mask|sprint|network=sit"
static const struct mdm_option_default fresh_standard[] = {FRESH, {NULL, NULL, NULL}};
static const struct mdm_option_default pretrain_standard[] = {FRESH,
                                                              {"steps", "10000", NULL},
                                                              {"mask", "grid", BLOCKS "|sprint|network=sit"},
                                                              {"mask", "block", "sprint|network=sit"},
                                                              {"mask_channel", "true", "mask"},
                                                              {"masked_share", "0.6", OWN_MASK},
                                                              {"lr_schedule", "wsd", OWN_MASK},
                                                              {"decay_shape", "cosine", "mask|lr_schedule"},
                                                              {NULL, NULL, NULL}};
static const struct mdm_option_default finetune_standard[] = {{"lr", "5e-4", NULL}, PACE, {NULL, NULL, NULL}};
const struct mdm_option_kind mdm_pretrain_kind = {"pretrain", "masked pre-training from fresh weights",
                                                  pretrain_tables, MDM_LENGTH(pretrain_tables), pretrain_standard};

static const struct mdm_option_table *const finetune_tables[] = {
    &mdm_finetune_run_options, &mdm_network_options,   &mdm_mask_options,
    &mdm_scheduler_options,    &mdm_optimizer_options, &mdm_lr_options,
    &mdm_ema_options,          &mdm_images_options,    &mdm_trainer_options,
    &mdm_lora_options,         &mdm_device_options,
};
const struct mdm_option_kind mdm_finetune_kind = {"finetune", "fine-tuning of a model file", finetune_tables,
                                                  MDM_LENGTH(finetune_tables), finetune_standard};

static const struct mdm_option_table *const train_tables[] = {
    &mdm_start_run_options, &mdm_rest_run_options,  &mdm_network_options, &mdm_mask_options,
    &mdm_scheduler_options, &mdm_optimizer_options, &mdm_lr_options,      &mdm_ema_options,
    &mdm_images_options,    &mdm_trainer_options,   &mdm_lora_options,    &mdm_device_options,
};
const struct mdm_option_kind mdm_train_kind = {"train", "training in stages, from fresh weights or a model file",
                                               train_tables, MDM_LENGTH(train_tables), fresh_standard};

static const struct mdm_option_table *const tune_tables[] = {
    &mdm_finetune_run_options, &mdm_network_options,   &mdm_mask_options, &mdm_consistency_options,
    &mdm_scheduler_options,    &mdm_optimizer_options, &mdm_lr_options,   &mdm_ema_options,
    &mdm_images_options,       &mdm_trainer_options,   &mdm_lora_options, &mdm_device_options,
};
const struct mdm_option_kind mdm_tune_kind = {"tune", "consistency tuning of a model file", tune_tables,
                                              MDM_LENGTH(tune_tables), NULL};
