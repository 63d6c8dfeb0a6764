/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of a survey of data.
 */
#include "run/options.h"

#include "backend/options.h"
#include "base/error.h"
#include "data/options.h"
#include "mask/options.h"

static const struct mdm_option rows[] = {
    {MDM_OPTION(mdm_survey_run_options, data), .is_path = 1, .required = 1,
     .alias = "dataset|data_dir|data_path|image_dir|folder|input", .help = "folder of images, or an archive of them"},
    {MDM_OPTION(mdm_survey_run_options, out), .is_path = 1, .alias = "output|sheet|preview|grid|save_to",
     .help = "PNG file for a sheet of images as a network would see them"},
    {MDM_OPTION(mdm_survey_run_options, masked), .standard = "false", .needs = "out", .alias = "show_mask|masks",
     .help = "show on it what the mask hides"},
    {MDM_OPTION(mdm_survey_run_options, count), .standard = "64", .min = 1, .max = 65536, .unit = "images",
     .needs = "out", .alias = "n|num|num_images|images", .help = "images on it"},
    {MDM_OPTION(mdm_survey_run_options, columns), .standard = "0", .min = 0, .max = 65536, .needs = "out",
     .alias = "cols|ncols|nrow", .help = "columns of it; 0: as square as can be"},
    {MDM_OPTION(mdm_survey_run_options, image_size), .standard = "32", .min = 1, .max = 4096, .most = 2,
     .unit = "pixels", .alias = "resolution|size|img_size|image_resolution",
     .help = "height and width that a network's images have; one number for both"},
    {MDM_OPTION(mdm_survey_run_options, patch_size), .standard = "4", .min = 1, .max = 4096, .unit = "pixels",
     .needs = "masked=true", .help = "side of the patches that are hidden"},
    {MDM_OPTION(mdm_survey_run_options, channels), .standard = "0", .min = 0, .max = 4,
     .help = "channels of a network's images; 0: three, or four where images are transparent"},
    {MDM_OPTION_IN(mdm_survey_run_options, augment, flip), .standard = "0", .min = 0, .max = 1,
     .help = "chance that an image is mirrored"},
    {MDM_OPTION_IN(mdm_survey_run_options, augment, shift), .standard = "0", .min = 0, .max = 65535, .unit = "pixels",
     .help = "most by which an image is moved in each direction"},
    {MDM_OPTION_IN(mdm_survey_run_options, augment, turn), .standard = "0", .min = 0, .max = 1,
     .help = "chance that an image is turned by quarters"},
    {MDM_OPTION_IN(mdm_survey_run_options, augment, colour), .standard = "0", .min = 0, .max = 1,
     .help = "most by which brightness, contrast and saturation change, as a share"},
    {MDM_OPTION(mdm_survey_run_options, seed), .standard = "0",
     .help = "what is drawn derives from it, as in a run: the images are those of its first steps"},
    {MDM_OPTION(mdm_survey_run_options, json), .standard = "false", .help = "answer in one line of JSON"},
};
const struct mdm_option_table mdm_survey_run_options = {
    "run", "", "the survey itself", rows, MDM_LENGTH(rows), sizeof(struct mdm_survey_run_options)};

static const struct mdm_option_table *const tables[] = {&mdm_survey_run_options, &mdm_images_options,
                                                        &mdm_mask_options, &mdm_device_options};
const struct mdm_option_kind mdm_survey_kind = {"survey", "what is in a folder of images", tables, MDM_LENGTH(tables),
                                                NULL};
