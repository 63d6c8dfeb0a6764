/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The training step.
 */
#include "train/options.h"

#include "base/error.h"

#include <math.h>

static const struct mdm_option trainer_rows[] = {
    {.name = "batch_size",
     .type = MASKDM_OPTION_INT,
     .standard = "64",
     .min = 1,
     .max = 1048576,
     .unit = "images",
     .alias = "batch|bs|minibatch|train_batch_size|total_batch_size|per_device_train_batch_size",
     .help = "images per step"},
    {.name = "accumulate",
     .type = MASKDM_OPTION_INT,
     .standard = "1",
     .min = 1,
     .max = 1048576,
     .alias = "accum|accum_iter|accum_steps|grad_accum|grad_accum_steps|accumulation_steps|"
              "gradient_accumulation|gradient_accumulation_steps|gradient_accumulate_every|"
              "accumulate_grad_batches",
     .help = "parts into which a batch is cut, one after the other; it divides batch_size"},
    {.name = "loss",
     .type = MASKDM_OPTION_CHOICE,
     .standard = "l2",
     .choices = "l2|l1",
     .alias = "loss_type|loss_fn|criterion",
     .help = "squared or absolute error"},
    {.name = "flip",
     .type = MASKDM_OPTION_FLOAT,
     .standard = "0",
     .min = 0,
     .max = 1,
     .alias = "hflip|random_flip|horizontal_flip|augment_horizontal_flip|augment|mirror",
     .help = "chance that an image is mirrored"},
    {.name = "seed",
     .type = MASKDM_OPTION_INT,
     .standard = "0",
     .alias = "random_seed|rng_seed|manual_seed|global_seed",
     .help = "what all random numbers of the run derive from"},
    {.name = "max_bad_steps",
     .type = MASKDM_OPTION_INT,
     .standard = "10",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .alias = "max_nan_steps|nan_limit",
     .help = "steps in a row without a finite loss that end the run",
     .may_change = 1},
    {.name = "label_dropout",
     .type = MASKDM_OPTION_FLOAT,
     .standard = "0",
     .min = 0,
     .max = 1,
     .alias = "class_dropout|class_dropout_prob|cond_drop_prob|drop_label_prob|uncond_prob|p_uncond|cfg_dropout",
     .help = "share of the labels that is left out in training"},
};
const struct mdm_option_table mdm_trainer_options = {"trainer", "", "training step", trainer_rows,
                                                     MDM_LENGTH(trainer_rows)};

static const struct mdm_option_table *const trainer_tables[] = {&mdm_trainer_options};
const struct mdm_option_kind mdm_trainer_kind = {"trainer", "training step", trainer_tables, 1};
