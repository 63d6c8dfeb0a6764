/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of an evaluation.
 */
#include "run/options.h"

#include "backend/options.h"
#include "base/error.h"
#include "data/options.h"
#include "diffusion/options.h"
#include "metric/options.h"
#include "train/loss.h"

static const struct mdm_option rows[] = {
    {MDM_OPTION(mdm_evaluate_run_options, model), .is_path = 1, .alias = "checkpoint|ckpt|model_path|weights_path",
     .help = "model file: its held-out error on data, or, with reference and without images, what it draws"},
    {MDM_OPTION(mdm_evaluate_run_options, data), .is_path = 1, .alias = "val|val_data|held_out|test_data",
     .help = "images that the model is to predict from noise: a folder, an archive or a file"},
    {MDM_OPTION(mdm_evaluate_run_options, images), .is_path = 1, .alias = "generated|samples|fake|path1|input1",
     .help = "what is compared: a folder or archive of images, or a file of features (.safetensors, .npy, .npz)"},
    {MDM_OPTION(mdm_evaluate_run_options, reference), .is_path = 1, .alias = "ref|real|dataset|path2|input2|stats",
     .help = "what they are compared with: a folder, or a file of features or of statistics (.safetensors, .npz)"},
    {MDM_OPTION(mdm_evaluate_run_options, features), .is_path = 1, .alias = "inception|network_pkl|feature_extractor",
     .needs = "images|reference",
     .help = "weights of Inception-v3, from maskdm convert; unset: a fixed network of random weights"},
    {MDM_OPTION(mdm_evaluate_run_options, save_features), .is_path = 1, .needs = "images|reference",
     .help = "file for the features of images themselves, to be images or reference later"},
    {MDM_OPTION(mdm_evaluate_run_options, save_statistics), .is_path = 1, .alias = "save_stats|out",
     .needs = "images|reference",
     .help = "file for mean and covariance of the features of images, to be a reference later"},
    {MDM_OPTION(mdm_evaluate_run_options, count), .standard = "0", .min = 0, .max = 100000000, .unit = "images",
     .alias = "num|num_samples|n_samples|num_images|num_gen", .needs = "images|reference",
     .help = "how many of the images, spread evenly over the folder's files, 0: all; or how many the model draws"},
    {MDM_OPTION(mdm_evaluate_run_options, reference_count), .standard = "0", .min = 0, .max = 100000000,
     .unit = "images", .needs = "reference",
     .help = "how many of the reference's images, where it is a folder; 0: all"},
    {MDM_OPTION(mdm_evaluate_run_options, val_count), .standard = "0", .min = 0, .max = 100000000, .unit = "images",
     .needs = "data",
     .help = "images of data that are predicted; 0: all"},
    {MDM_OPTION(mdm_evaluate_run_options, val_seed), .standard = "0", .needs = "data",
     .help = "of the noise and the times of held-out errors, which compare for equal seeds alone"},
    {MDM_CHOICE(mdm_evaluate_run_options, loss), .standard = "l2", .named = mdm_loss_name,
     .alias = "loss_type|loss_fn|criterion", .needs = "data",
     .help = "the run's own loss, which is told beside the error of x0"},
    {MDM_OPTION(mdm_evaluate_run_options, loss_delta), .min = 1e-9, .max = 1e9, .alias = "delta|huber_delta|huber_c",
     .needs = "data",
     .help = "error from which that grows linearly; unset: 1 of huber and smooth_l1, else 0.03"},
    {MDM_OPTION(mdm_evaluate_run_options, image_size), .min = 1, .max = 65535, .most = 2, .unit = "pixels",
     .alias = "resolution|size|img_size|image_resolution", .needs = "images|reference",
     .help = "height and width to which images are fitted before they are looked at; unset: as they are"},
    {MDM_OPTION(mdm_evaluate_run_options, label),
     .alias = "labels|class|classes|class_label",
     .help = "labels that the model draws, by name or number, in turn; unset: all in turn"},
    {MDM_CHOICE(mdm_evaluate_run_options, weights), .standard = "ema", .choices = "ema|online",
     .alias = "ema|use_ema|which|which_weights", .help = "which weights of the model draw"},
    {MDM_OPTION(mdm_evaluate_run_options, json), .standard = "false", .help = "answer in one line of JSON"},
    {MDM_OPTION(mdm_evaluate_run_options, device),
     .standard = "cpu",
     .help = "where to compute: cpu; cuda, cuda:1 ...; auto: the first GPU where one can be used, else the CPU"},
};
const struct mdm_option_table mdm_evaluate_run_options = {
    "run", "", "the evaluation itself", rows, MDM_LENGTH(rows), sizeof(struct mdm_evaluate_run_options)};

static const struct mdm_option_table *const tables[] = {
    &mdm_evaluate_run_options, &mdm_metric_options, &mdm_sampler_options, &mdm_images_options, &mdm_device_options};
const struct mdm_option_kind mdm_evaluate_kind = {"evaluate", "how good a model or a set of images is", tables,
                                                  MDM_LENGTH(tables), mdm_drawing_standard};
