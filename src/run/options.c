/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of whole runs, and the composites that hold all that a run can be told.
 */
#include "run/options.h"

#include "backend/options.h"
#include "base/error.h"
#include "data/options.h"
#include "diffusion/consistency.h"
#include "diffusion/options.h"
#include "mask/options.h"
#include "model/adapter.h"
#include "model/options.h"
#include "train/options.h"

#include <math.h>

enum { INIT = 3 }; /* leading rows that only fine-tuning has */

#define INIT_ALIAS                                                                                     \
    "model|model_path|pretrained|pretrained_model|from_pretrained|checkpoint|ckpt|ckpt_path|weights|from|load"

static const struct mdm_option train_rows[] = {
    {MDM_OPTION(mdm_train_run_options, init),
     .required = 1,
     .is_path = 1,
     .alias = INIT_ALIAS,
     .help = "model file to start from"},
    {MDM_CHOICE(mdm_train_run_options, init_weights),
     .standard = "online",
     .choices = "online|ema",
     .help = "which weights of it"},
    {MDM_OPTION(mdm_train_run_options, retain),
     .is_path = 1,
     .by_content = 1,
     .alias = "lwf_data|source_samples|regularization_images|prior_images",
     .help = "folder of images that the model has drawn, which keep what it can (see forget_power)"},
    {MDM_OPTION(mdm_train_run_options, data), /* what is in it is compared, not how its path is spelt */
     .is_path = 1,
     .required = 1,
     .alias = "dataset|data_dir|data_path|data_root|dataset_dir|dataset_path|input|input_dir|images|image_dir|"
              "image_folder|train_data|train_data_dir|train_dir|folder",
     .help = "folder or archive of images, or a file that holds some",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, out),
     .is_path = 1,
     .required = 1,
     .alias = "output|output_dir|output_path|out_dir|save_dir|save_path|save_to|run|run_dir|results|"
              "results_dir|results_folder|log_dir|work_dir|exp_dir|checkpoint_dir",
     .help = "folder of the run",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, data_fraction),
     .standard = "1",
     .min = 0,
     .max = 1,
     .alias = "fraction|data_share|subset|data_subset|train_fraction|limit_train_batches",
     .help = "share of the images that is trained on, above 0; which ones is data_seed's choice",
     .in_stage = 1},
    {MDM_OPTION(mdm_train_run_options, data_seed),
     .standard = "0",
     .alias = "subset_seed",
     .help = "chooses the images of data_fraction; a smaller fraction of one seed lies in a larger one",
     .in_stage = 1},
    {MDM_OPTION(mdm_train_run_options, steps),
     .standard = "1000",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .alias = "num_steps|max_steps|train_steps|training_steps|total_steps|train_num_steps|num_train_steps|"
              "max_train_steps|iterations|iters|num_iters|max_iters|n_iters|epochs|num_epochs|max_epochs|"
              "num_train_epochs",
     .help = "steps to train; an epoch is the number of images, divided by the batch size",
     .may_change = 1,
     .in_stage = 1},
    {MDM_CHOICE(mdm_train_run_options, carry),
     .standard = "nothing",
     .choices = "nothing|all",
     .help = "what a stage takes over beside the weights; all: moments and EMA, which else begin anew",
     .in_stage = 1,
     .stage_tables = "mask|optimizer|lr|ema|trainer"},
    {MDM_OPTION(mdm_train_run_options, save_every),
     .standard = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .alias = "save_steps|save_interval|save_freq|save_and_sample_every|checkpoint_every|checkpoint_interval|"
              "checkpointing_steps|ckpt_every",
     .help = "steps between checkpoints; 0: none by steps",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, save_minutes),
     .standard = "10",
     .min = 0,
     .max = INFINITY,
     .unit = "minutes",
     .alias = "save_time|save_mins|checkpoint_minutes|save_every_minutes",
     .help = "most time between checkpoints; 0: none by the clock",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, keep),
     .standard = "2",
     .min = 1,
     .max = 1000000,
     .alias = "keep_checkpoints|keep_last|max_checkpoints|num_checkpoints|checkpoints_total_limit|save_total_limit",
     .help = "checkpoints kept",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, keep_every), .standard = "0", .min = 0, .max = INFINITY, .unit = "steps",
     .alias = "milestone_every|milestones|keep_interval|archive_every",
     .help = "steps between checkpoints that are kept for good, beside those of keep; 0: none",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, log_every),
     .standard = "10",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .alias = "log_interval|log_steps|log_freq|logging_steps|print_every|print_freq",
     .help = "steps between lines of the log",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, sample_every),
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .alias = "sample_interval|sample_freq|preview_every|image_every",
     .help = "steps between grids of samples; 0: none; unset: four in a run of 200 steps or more",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, sample_count),
     .standard = "16",
     .min = 1,
     .max = 65536,
     .unit = "images",
     .alias = "num_samples|n_samples|preview_count",
     .help = "samples in a grid",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, sample_steps),
     .standard = "20",
     .min = 1,
     .max = 100000,
     .unit = "steps",
     .help = "steps of DPM-Solver++ for a grid, and for a distance",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, evaluate_every),
     .standard = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .alias = "fid_every|fid_interval|fid_freq|metrics_every|metrics_interval",
     .help = "steps between distances of drawn images, of which the best model is kept as best.safetensors; 0: none",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, evaluate_count),
     .standard = "1000",
     .min = 2,
     .max = 100000000,
     .unit = "images",
     .needs = "evaluate_every",
     .alias = "fid_samples|num_fid_samples|fid_num_samples",
     .help = "images that are drawn for a distance, in sample_steps steps",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, evaluate_reference),
     .is_path = 1,
     .needs = "evaluate_every",
     .alias = "fid_reference|fid_stats|fid_data",
     .help = "what they are compared with: a folder, or a file of features or statistics; unset: the training images",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, evaluate_features),
     .is_path = 1,
     .needs = "evaluate_every",
     .alias = "fid_weights|fid_inception",
     .help = "weights of Inception-v3, from maskdm convert; unset: a fixed network of random weights",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, snapshot_every),
     .standard = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .alias = "snapshot_interval|ema_snapshot_every|phema_every",
     .help = "steps between snapshots of the averages, from which maskdm average makes others; 0: none",
     .may_change = 1},
    {MDM_CHOICE(mdm_train_run_options, snapshot_dtype),
     .standard = "f16",
     .choices = "f32|f16|bf16",
     .needs = "snapshot_every",
     .help = "type of the weights in snapshots: float32, float16 or bfloat16",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, val),
     .by_content = 1,
     .is_path = 1,
     .alias = "validation|val_data|val_dir|validation_dir|held_out|eval_data|test_data|test_dir",
     .help = "held-out images, as data has them"},
    {MDM_OPTION(mdm_train_run_options, val_share),
     .min = 0,
     .max = 1,
     .alias = "val_split|validation_split|val_fraction|val_ratio|val_size|test_size|test_split",
     .help = "share of the data to hold out, below 1, in place of a folder; unset: a twentieth of 200 images or "
             "more, up to val_count"},
    {MDM_OPTION(mdm_train_run_options, val_every),
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .alias = "val_interval|val_steps|val_freq|validation_steps|eval_every|eval_steps|eval_interval",
     .help = "steps between held-out losses; 0: at the end; unset: four in a run of 200 steps or more",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, val_count),
     .standard = "256",
     .min = 1,
     .max = INFINITY,
     .unit = "images",
     .alias = "num_val|val_samples|val_images|eval_samples",
     .help = "most images in a held-out loss",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, resume),
     .standard = "false",
     .alias = "continue|restart|restore|resume_from|resume_from_checkpoint|load_checkpoint|checkpoint|"
              "checkpoint_path|ckpt|ckpt_path|model_path",
     .help = "go on from the newest checkpoint in out",
     .may_change = 1},
    {MDM_CHOICE(mdm_train_run_options, on_disk_full), .standard = "stop", .choices = "stop|wait", .may_change = 1,
     .help = "where no more can be saved: stop, or wait for room and try again"},
    {MDM_OPTION(mdm_train_run_options, tensorboard), .standard = "false", .may_change = 1, .alias = "tb|event_files",
     .help = "write the log's numbers for TensorBoard as well, a file events.out.tfevents.* for each start"},
    {MDM_OPTION(mdm_train_run_options, override), .standard = "",
     .help = "options of the optimizer to go on with, as \"lr=5e-5 weight_decay=0\"; logged", .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, dry_run), .standard = "false", .may_change = 1,
     .alias = "dryrun|plan|validate_only|check|test_run|fast_dev_run",
     .help = "say what a run would be and all that is wrong with it, time three steps, and write nothing"},
    {MDM_OPTION(mdm_train_run_options, accept_changed_data),
     .standard = "false",
     .help = "go on with data that are not those of the run's start",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, measure),
     .standard = "false",
     .alias = "benchmark|profile|speedup",
     .help = "after ten steps, time one beside one on whole images, and say what mask or routing save of it",
     .may_change = 1},
    {MDM_OPTION(mdm_train_run_options, device),
     .standard = "cpu",
     .help = "where to compute: cpu; cuda, cuda:1 ...; auto: the first GPU where one can be used, else the CPU",
     .may_change = 1},
};
const struct mdm_option_table mdm_pretrain_run_options = {
    "run", "", "the run itself", train_rows + INIT, MDM_LENGTH(train_rows) - INIT,
    sizeof(struct mdm_train_run_options)};
const struct mdm_option_table mdm_finetune_run_options = {
    "run", "", "the run itself", train_rows, MDM_LENGTH(train_rows),
    sizeof(struct mdm_train_run_options)};

/* Training at large begins with either. The table's name is "run" too, so that it is read as one with the rest. */
static const struct mdm_option start_rows[] = {
    {MDM_OPTION(mdm_train_run_options, init),
     .is_path = 1,
     .alias = INIT_ALIAS,
     .help = "model file to start from; unset: fresh weights"},
};
static const struct mdm_option_table start_options = {
    "run", "", "the run itself", start_rows, MDM_LENGTH(start_rows), sizeof(struct mdm_train_run_options)};
static const struct mdm_option_table rest_options = {
    "run", "", "the run itself", train_rows + 1, MDM_LENGTH(train_rows) - 1, sizeof(struct mdm_train_run_options)};

static const struct mdm_option_table *const pretrain_tables[] = {
    &mdm_pretrain_run_options, &mdm_network_options,   &mdm_mask_options,
    &mdm_scheduler_options,    &mdm_optimizer_options, &mdm_lr_options,
    &mdm_ema_options,          &mdm_images_options,    &mdm_trainer_options,
    &mdm_device_options,
};

/* What came out best of what was measured (doc/acceleration.md); whoever chooses a process gets the prediction that
 * is its own. */
#define PACE {"warmup_steps", "20", NULL}, {"beta1", "0.9", NULL}, {"beta2", "0.95", NULL}
#define FRESH {"prediction", "x0", "process"}, {"time_spread", "even", NULL}, {"lr", "1e-3", NULL}, PACE
static const struct mdm_option_default fresh_standard[] = {FRESH, {NULL, NULL, NULL}};
static const struct mdm_option_default pretrain_standard[] = {
    FRESH, {"mask", "block", "sprint|network=sit"}, {"mask_channel", "true", "mask"}, {NULL, NULL, NULL}};
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
    &start_options,         &rest_options,   &mdm_network_options, &mdm_mask_options,   &mdm_scheduler_options,
    &mdm_optimizer_options, &mdm_lr_options, &mdm_ema_options,     &mdm_images_options, &mdm_trainer_options,
    &mdm_lora_options,      &mdm_device_options,
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
