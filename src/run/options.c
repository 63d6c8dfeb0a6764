/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of whole runs, and the composites that hold all that a run can be told.
 */
#include "run/options.h"

#include "backend/options.h"
#include "data/options.h"
#include "diffusion/options.h"
#include "model/options.h"
#include "sample/options.h"
#include "train/options.h"
#include "util/error.h"

#include <math.h>

enum { INIT = 2 }; /* leading rows that only fine-tuning has */

static const struct maskdm_option train_rows[] = {
    {.name = "init", .type = MASKDM_OPTION_STRING, .required = 1, .help = "model file to start from"},
    {.name = "init_weights",
     .type = MASKDM_OPTION_CHOICE,
     .standard = "online",
     .choices = "online|ema",
     .help = "which weights of it"},
    {.name = "data", .type = MASKDM_OPTION_STRING, .required = 1, .help = "folder of images"},
    {.name = "out", .type = MASKDM_OPTION_STRING, .required = 1, .help = "folder of the run"},
    {.name = "steps",
     .type = MASKDM_OPTION_INT,
     .standard = "1000",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .help = "steps to train"},
    {.name = "save_every",
     .type = MASKDM_OPTION_INT,
     .standard = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .help = "steps between checkpoints; 0: none by steps"},
    {.name = "save_minutes",
     .type = MASKDM_OPTION_FLOAT,
     .standard = "10",
     .min = 0,
     .max = INFINITY,
     .unit = "minutes",
     .help = "most time between checkpoints; 0: none by the clock"},
    {.name = "keep",
     .type = MASKDM_OPTION_INT,
     .standard = "2",
     .min = 1,
     .max = 1000000,
     .help = "checkpoints kept"},
    {.name = "log_every",
     .type = MASKDM_OPTION_INT,
     .standard = "10",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .help = "steps between lines of the log"},
    {.name = "sample_every",
     .type = MASKDM_OPTION_INT,
     .standard = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .help = "steps between grids of samples; 0: none"},
    {.name = "sample_count",
     .type = MASKDM_OPTION_INT,
     .standard = "16",
     .min = 1,
     .max = 65536,
     .unit = "images",
     .help = "samples in a grid"},
    {.name = "sample_steps",
     .type = MASKDM_OPTION_INT,
     .standard = "50",
     .min = 1,
     .max = 100000,
     .unit = "steps",
     .help = "sampler steps for a grid"},
    {.name = "val",
     .type = MASKDM_OPTION_STRING,
     .help = "folder of held-out images, or the share of data to hold out"},
    {.name = "val_every",
     .type = MASKDM_OPTION_INT,
     .standard = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .help = "steps between held-out losses; 0: at the end"},
    {.name = "val_count",
     .type = MASKDM_OPTION_INT,
     .standard = "256",
     .min = 1,
     .max = INFINITY,
     .unit = "images",
     .help = "most images in a held-out loss"},
    {.name = "resume",
     .type = MASKDM_OPTION_BOOL,
     .standard = "false",
     .help = "go on from the newest checkpoint in out"},
    {.name = "device", .type = MASKDM_OPTION_STRING, .standard = "cpu", .help = "where to compute"},
};
const struct maskdm_option_table maskdm_pretrain_run_options = {"run", "", "pre-training run", train_rows + INIT,
                                                                MASKDM_LENGTH(train_rows) - INIT};
const struct maskdm_option_table maskdm_finetune_run_options = {"run", "", "fine-tuning run", train_rows,
                                                                MASKDM_LENGTH(train_rows)};

static const struct maskdm_option sample_rows[] = {
    {.name = "model", .type = MASKDM_OPTION_STRING, .required = 1, .help = "model file"},
    {.name = "out",
     .type = MASKDM_OPTION_STRING,
     .required = 1,
     .help = "grid ending in .png, a device or a pipe, or a folder for single images"},
    {.name = "count",
     .type = MASKDM_OPTION_INT,
     .standard = "16",
     .min = 1,
     .max = 1000000000,
     .unit = "images",
     .help = "images to draw"},
    {.name = "label",
     .type = MASKDM_OPTION_INT_LIST,
     .min = -1,
     .max = INFINITY,
     .most = 4096,
     .help = "labels, used in turn; -1: none"},
    {.name = "bits",
     .type = MASKDM_OPTION_INT,
     .standard = "8",
     .min = 8,
     .max = 16,
     .help = "bits per channel of the files, 8 or 16"},
    {.name = "columns",
     .type = MASKDM_OPTION_INT,
     .standard = "0",
     .min = 0,
     .max = 65536,
     .help = "columns of a grid; 0: as square as can be"},
    {.name = "weights",
     .type = MASKDM_OPTION_CHOICE,
     .standard = "ema",
     .choices = "ema|online",
     .help = "which weights of the model"},
    {.name = "model_digest",
     .type = MASKDM_OPTION_STRING,
     .help = "digest that the weights must have, as a folder's options.json keeps it"},
    {.name = "resume",
     .type = MASKDM_OPTION_BOOL,
     .standard = "false",
     .help = "go on with a folder of single images: draw those that are missing"},
    {.name = "device", .type = MASKDM_OPTION_STRING, .standard = "cpu", .help = "where to compute"},
};
const struct maskdm_option_table maskdm_sample_run_options = {"run", "", "sampling run", sample_rows,
                                                              MASKDM_LENGTH(sample_rows)};

static const struct maskdm_option convert_rows[] = {
    {.name = "from", .type = MASKDM_OPTION_STRING, .required = 1, .help = "checkpoint of the authors' program"},
    {.name = "out", .type = MASKDM_OPTION_STRING, .required = 1, .help = "model file to write"},
    {.name = "ema_from",
     .type = MASKDM_OPTION_STRING,
     .standard = "",
     .help = "where in the checkpoint the EMA is, such as ema.ema_model; none: leave it out; unset: by its names"},
    {.name = "online_from",
     .type = MASKDM_OPTION_STRING,
     .standard = "",
     .help = "where the online weights are, such as model; none: leave them out; unset: by their names"},
    {.name = "heads",
     .type = MASKDM_OPTION_INT,
     .standard = "0",
     .min = 0,
     .max = 256,
     .help = "attention heads, which no shape shows; 0: one for each 64 of dim, as the authors have it"},
    {.name = "image_size",
     .type = MASKDM_OPTION_INT_LIST,
     .min = 1,
     .max = 4096,
     .most = 2,
     .unit = "pixels",
     .help = "height and width of the images, where the patches make no square"},
};
const struct maskdm_option_table maskdm_convert_run_options = {"run", "", "conversion", convert_rows,
                                                               MASKDM_LENGTH(convert_rows)};

static const struct maskdm_option_table *const pretrain_tables[] = {
    &maskdm_pretrain_run_options, &maskdm_uvit_options,      &maskdm_mask_options,
    &maskdm_scheduler_options,    &maskdm_optimizer_options, &maskdm_ema_options,
    &maskdm_images_options,       &maskdm_trainer_options,   &maskdm_device_options,
};
const struct maskdm_option_kind maskdm_pretrain_kind = {"pretrain", "masked pre-training from fresh weights",
                                                        pretrain_tables, MASKDM_LENGTH(pretrain_tables)};

static const struct maskdm_option_table *const finetune_tables[] = {
    &maskdm_finetune_run_options, &maskdm_uvit_options,      &maskdm_mask_options,
    &maskdm_scheduler_options,    &maskdm_optimizer_options, &maskdm_ema_options,
    &maskdm_images_options,       &maskdm_trainer_options,   &maskdm_device_options,
};
const struct maskdm_option_kind maskdm_finetune_kind = {"finetune", "fine-tuning of a model file", finetune_tables,
                                                        MASKDM_LENGTH(finetune_tables)};

static const struct maskdm_option_table *const sample_tables[] = {&maskdm_sample_run_options, &maskdm_sampler_options,
                                                                  &maskdm_device_options};
const struct maskdm_option_kind maskdm_sample_kind = {"sample", "images from a model file", sample_tables,
                                                      MASKDM_LENGTH(sample_tables)};

static const struct maskdm_option_table *const convert_tables[] = {&maskdm_convert_run_options,
                                                                   &maskdm_scheduler_options};
const struct maskdm_option_kind maskdm_convert_kind = {"convert", "a model file of a PyTorch checkpoint",
                                                       convert_tables, MASKDM_LENGTH(convert_tables)};
