/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The training step.
 */
#include "train/options.h"

#include "base/error.h"
#include "train/loss.h"

#include <math.h>

static const struct mdm_option trainer_rows[] = {
    {MDM_OPTION(mdm_trainer_options, batch_size),
     .min = 1,
     .max = 1048576,
     .unit = "images",
     .alias = "batch|bs|minibatch|train_batch_size|total_batch_size|per_device_train_batch_size",
     .help = "images per step; unset: 64, or as many as batch_tokens allows"},
    {MDM_OPTION(mdm_trainer_options, batch_tokens),
     .standard = "0",
     .min = 0,
     .max = 1099511627776,
     .unit = "patches",
     .alias = "tokens|tokens_per_batch|tokens_per_step|max_tokens|batch_patches",
     .help = "visible patches per step, which make the images per step: the more are hidden, the more images; "
             "0: batch_size counts"},
    {MDM_OPTION(mdm_trainer_options, accumulate),
     .standard = "1",
     .min = 1,
     .max = 1048576,
     .alias = "accum|accum_iter|accum_steps|grad_accum|grad_accum_steps|accumulation_steps|"
              "gradient_accumulation|gradient_accumulation_steps|gradient_accumulate_every|"
              "accumulate_grad_batches",
     .help = "parts into which a batch is cut, one after the other; it divides batch_size"},
    {MDM_CHOICE(mdm_trainer_options, loss),
     .standard = "l2",
     .named = mdm_loss_name,
     .alias = "loss_type|loss_fn|criterion",
     .help = "what an error costs: its square, its size, or from one to the other, of a value or of an image"},
    {MDM_OPTION(mdm_trainer_options, loss_delta),
     .min = 1e-9,
     .max = 1e9,
     .alias = "delta|huber_delta|huber_c",
     .help = "error from which the last four losses grow linearly; unset: 1 of huber and smooth_l1, else 0.03"},
    {MDM_OPTION(mdm_trainer_options, flip),
     .standard = "0",
     .min = 0,
     .max = 1,
     .alias = "hflip|random_flip|horizontal_flip|augment_horizontal_flip|augment|mirror",
     .help = "chance that an image is mirrored"},
    {MDM_OPTION(mdm_trainer_options, seed),
     .standard = "0",
     .alias = "random_seed|rng_seed|manual_seed|global_seed",
     .help = "what all random numbers of the run derive from",
     .in_stage = -1},
    {MDM_OPTION(mdm_trainer_options, max_bad_steps),
     .standard = "10",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .alias = "max_nan_steps|nan_limit",
     .help = "steps in a row without a finite loss that end the run",
     .may_change = 1},
    {MDM_OPTION(mdm_trainer_options, label_dropout),
     .standard = "0",
     .min = 0,
     .max = 1,
     .alias = "class_dropout|class_dropout_prob|cond_drop_prob|drop_label_prob|uncond_prob|p_uncond|cfg_dropout",
     .help = "share of the labels that is left out in training"},
    {MDM_OPTION(mdm_trainer_options, freeze),
     .standard = "",
     .alias = "frozen|freeze_layers|freeze_params",
     .help = "parameters that stay as they are: names with * and ?, separated by commas; behind a ! they move"},
    {MDM_OPTION(mdm_trainer_options, forget_power),
     .standard = "0",
     .min = 0,
     .max = 16,
     .alias = "diff_tuning|prob_scale",
     .help = "images count by this power of the way to the most noise, Diff-Tuning's is 1; 0: all levels alike"},
    {MDM_OPTION(mdm_trainer_options, retain_share),
     .standard = "0.2",
     .min = 0.001,
     .max = 0.9,
     .alias = "lwf_ratio",
     .help = "share of a batch that is retained images, where there are any"},
    {MDM_OPTION(mdm_trainer_options, retain_weight),
     .standard = "0.1",
     .min = 0,
     .max = 1000,
     .alias = "lwf_weight",
     .help = "weight of their loss beside that of the others"},
};
const struct mdm_option_table mdm_trainer_options = {
    "trainer", "", "training step", trainer_rows, MDM_LENGTH(trainer_rows),
    sizeof(struct mdm_trainer_options)};

static const struct mdm_option_table *const trainer_tables[] = {&mdm_trainer_options};
const struct mdm_option_kind mdm_trainer_kind = {"trainer", "training step", trainer_tables, 1, NULL};
