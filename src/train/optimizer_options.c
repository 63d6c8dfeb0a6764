/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AdamW with warm-up and clipping.
 */
#include "train/options.h"

#include "base/error.h"

#include <math.h>

static const struct mdm_option optimizer_rows[] = {
    {MDM_OPTION(mdm_optimizer_options, lr),
     .standard = "2e-4",
     .min = 0,
     .max = 1000,
     .alias = "learning_rate|train_lr|base_lr|initial_lr|max_lr|rate|step_size",
     .help = "learning rate behind the warm-up"},
    {MDM_OPTION(mdm_optimizer_options, beta1),
     .standard = "0.99",
     .min = 0,
     .max = 0.9999999,
     .alias = "adam_beta1|adam_b1|betas|adam_betas",
     .help = "decay of the first moment"},
    {MDM_OPTION(mdm_optimizer_options, beta2),
     .standard = "0.99",
     .min = 0,
     .max = 0.9999999,
     .alias = "adam_beta2|adam_b2",
     .help = "decay of the second moment"},
    {MDM_OPTION(mdm_optimizer_options, eps),
     .standard = "1e-8",
     .min = 1e-16,
     .max = 1,
     .alias = "epsilon|adam_eps|adam_epsilon",
     .help = "added to the root of the second moment"},
    {MDM_OPTION(mdm_optimizer_options, weight_decay),
     .standard = "0.03",
     .min = 0,
     .max = 1000,
     .alias = "wd|decay|l2|adam_weight_decay",
     .help = "decoupled weight decay"},
    {MDM_OPTION(mdm_optimizer_options, warmup_steps),
     .standard = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .alias = "warmup|lr_warmup|lr_warmup_steps|warmup_iters|num_warmup_steps",
     .help = "steps over which the learning rate grows from 0"},
    {MDM_OPTION(mdm_optimizer_options, clip_norm),
     .standard = "1",
     .min = 0,
     .max = INFINITY,
     .alias = "clip|grad_clip|clip_grad|gradient_clip|gradient_clipping|gradient_clip_val|max_grad_norm|"
              "grad_clip_norm|grad_norm",
     .help = "largest norm of the whole gradient; 0: no limit"},
};
const struct mdm_option_table mdm_optimizer_options = {
    "optimizer", "", "AdamW optimizer", optimizer_rows, MDM_LENGTH(optimizer_rows),
    sizeof(struct mdm_optimizer_options)};

static const struct mdm_option_table *const optimizer_tables[] = {&mdm_optimizer_options};
const struct mdm_option_kind mdm_optimizer_kind = {"optimizer", "AdamW optimizer", optimizer_tables, 1};
