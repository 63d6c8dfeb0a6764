/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AdamW with clipping, and Muon in its place where that is for.
 */
#include "train/muon.h"
#include "train/optimizer.h"

#include "base/error.h"

#include <math.h>

static const char *kind_name(int i)
{
    return mdm_optimizer_class_at(i) ? mdm_optimizer_class_at(i)->name : NULL;
}

static const struct mdm_option optimizer_rows[] = {
    {MDM_CHOICE(mdm_optimizer_options, optimizer), .standard = "adamw", .named = kind_name,
     .alias = "optim|opt|optimizer_type|optimizer_name",
     .help = "AdamW for every parameter, or Muon for the matrices between hidden layers and AdamW for the others"},
    {MDM_OPTION(mdm_optimizer_options, lr), .standard = "2e-4", .min = 0, .max = 1000,
     .alias = "learning_rate|train_lr|base_lr|initial_lr|max_lr|rate|step_size",
     .help = "learning rate, which warm-up and schedule multiply"},
    {MDM_OPTION(mdm_optimizer_options, beta1), .standard = "0.99", .min = 0, .max = 0.9999999,
     .alias = "adam_beta1|adam_b1|betas|adam_betas", .help = "decay of the first moment"},
    {MDM_OPTION(mdm_optimizer_options, beta2), .standard = "0.99", .min = 0, .max = 0.9999999,
     .alias = "adam_beta2|adam_b2", .help = "decay of the second moment"},
    {MDM_OPTION(mdm_optimizer_options, eps), .standard = "1e-8", .min = 1e-16, .max = 1,
     .alias = "epsilon|adam_eps|adam_epsilon", .help = "added to the root of the second moment"},
    {MDM_OPTION(mdm_optimizer_options, weight_decay), .standard = "0.03", .min = 0, .max = 1000,
     .alias = "wd|decay|l2|adam_weight_decay", .help = "decoupled weight decay"},
    {MDM_OPTION(mdm_optimizer_options, clip_norm), .standard = "1", .min = 0, .max = INFINITY,
     .alias = "clip|grad_clip|clip_grad|gradient_clip|gradient_clipping|gradient_clip_val|max_grad_norm|"
              "grad_clip_norm|grad_norm",
     .help = "largest norm of the whole gradient; 0: no limit"},
    {MDM_OPTION(mdm_optimizer_options, muon_lr), .min = 0, .max = 1000, .when = "muon",
     .alias = "matrix_lr|hidden_lr",
     .help = "learning rate of Muon's matrices, which lr's schedule multiplies as well; unset: lr"},
    {MDM_OPTION(mdm_optimizer_options, muon_weight_decay), .min = 0, .max = 1000, .when = "muon", .alias = "muon_wd",
     .help = "decoupled weight decay of Muon's matrices; unset: weight_decay"},
    {MDM_OPTION(mdm_optimizer_options, muon_momentum), .standard = "0.95", .min = 0, .max = 0.9999999, .when = "muon",
     .alias = "momentum", .help = "decay of Muon's moment"},
    {MDM_OPTION(mdm_optimizer_options, muon_nesterov), .standard = "true", .when = "muon", .alias = "nesterov",
     .help = "look ahead of the moment by the gradient once more"},
    {MDM_CHOICE(mdm_optimizer_options, muon_scale), .standard = "match_rms", .named = mdm_muon_scale_name,
     .when = "muon", .alias = "adjust_lr_fn|muon_adjust_lr",
     .help =
         "what a matrix of r x c multiplies the rate by: original max(1, r/c)^(1/2), match_rms 0.2 max(r, c)^(1/2), "
         "which suits rates of AdamW, kernel max(1, h/w)^(1/2) of a convolution's window and else original"},
    {MDM_OPTION(mdm_optimizer_options, muon_steps), .standard = "5", .min = 1, .max = 99, .when = "muon",
     .alias = "ns_steps|newton_schulz_steps", .help = "steps of Newton and Schulz"},
};
const struct mdm_option_table mdm_optimizer_options = {"optimizer",
                                                       "",
                                                       "AdamW or Muon",
                                                       optimizer_rows,
                                                       MDM_LENGTH(optimizer_rows),
                                                       sizeof(struct mdm_optimizer_options)};

static const struct mdm_option_table *const optimizer_tables[] = {&mdm_optimizer_options, &mdm_lr_options};
const struct mdm_option_kind mdm_optimizer_kind = {"optimizer", "AdamW or Muon", optimizer_tables,
                                                   MDM_LENGTH(optimizer_tables), NULL};
