/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Image folders. In a run the network says how large images are, and images may be mirrored: there the table
 * begins behind the sizes and goes on to the end.
 */
#include "data/options.h"

#include "base/error.h"

#include <math.h>

enum {
    SIZES = 2,  /* leading rows that only a folder alone has */
    READING = 4 /* rows behind them that a single image has too */
};

static const struct mdm_option rows[] = {
    {MDM_OPTION(mdm_folder_options, image_size),
     .standard = "32",
     .min = 1,
     .max = 4096,
     .most = 2,
     .unit = "pixels",
     .alias = "resolution|size|img_size|image_resolution",
     .help = "height and width that images are fitted to; one number for both"},
    {MDM_OPTION(mdm_folder_options, channels),
     .standard = "3",
     .min = 1,
     .max = 4,
     .help = "channels that images are brought to"},
    {MDM_OPTION(mdm_folder_options, background),
     .standard = "1",
     .min = 0,
     .max = 1,
     .most = 4,
     .alias = "bg|bg_color|background_color|background_colour|fill",
     .help = "colour under transparent pixels; one value for all channels"},
    {MDM_CHOICE(mdm_folder_options, orientation),
     .standard = "follow",
     .choices = "follow|ignore",
     .help = "turn images as EXIF says, or leave them as they are stored"},
    {MDM_OPTION(mdm_folder_options, image_pixels),
     .standard = "67108864",
     .min = 1,
     .max = 4294836225, /* the sides' own limit, 65535, twice */
     .unit = "pixels",
     .help = "height x width that an image file may have"},
    {MDM_OPTION(mdm_folder_options, image_memory),
     .standard = "536870912",
     .min = 0,
     .max = INFINITY,
     .unit = "bytes",
     .help = "memory for an image that cannot be read row by row: interlaced, progressive, stored on its side",
     .may_change = 1},
    {MDM_CHOICE(mdm_folder_options, resize),
     .standard = "bicubic",
     .choices = "bicubic|area|nearest",
     .alias = "interpolation|resample|filter|resize_filter|resize_mode",
     .help = "how images are scaled: smoothly, by the mean of what a pixel covers, or by single pixels"},
    {MDM_CHOICE(mdm_folder_options, crop),
     .standard = "centre",
     .choices = "centre|random|none",
     .alias = "center_crop|random_crop|crop_mode|crop_type|centre_crop",
     .help = "what becomes of another shape: its middle; a part that is drawn anew each time in training, else the "
             "middle; or all of it, squeezed"},
    {MDM_OPTION(mdm_folder_options, crop_margin),
     .standard = "0.125",
     .min = 0,
     .max = 4,
     .needs = "crop=random",
     .alias = "load_size|crop_scale|resize_ratio",
     .help = "how much longer the sides are of which such a part is drawn, as a share"},
    {MDM_OPTION(mdm_folder_options, pad),
     .standard = "false",
     .needs = "crop=none",
     .alias = "padding|letterbox|fit|contain",
     .help = "keep the shape, and put background around it; transparent where images have that"},
    {MDM_OPTION(mdm_folder_options, label_file),
     .is_path = 1,
     .alias = "labels_file|label_path|attr_file|attributes|identity_file",
     .help = "file of a line for each image, its name and its label, in place of the folders' names or an archive's",
     .may_change = 1},
    {MDM_OPTION(mdm_folder_options, label_attribute),
     .needs = "label_file",
     .alias = "attribute|attr|label_column",
     .help = "which attribute is the label, where that file has several and a line of their names",
     .may_change = 1},
    {MDM_OPTION(mdm_folder_options, cache_limit),
     .standard = "2147483648",
     .min = 0,
     .max = INFINITY,
     .unit = "bytes",
     .alias = "cache|cache_size|cache_images|image_cache",
     .help = "memory for decoded images",
     .may_change = 1},
    {MDM_OPTION(mdm_folder_options, loaders),
     .standard = "2",
     .min = 0,
     .max = 256,
     .alias = "workers|num_workers|n_workers|data_workers|loader_threads|dataloader_num_workers|num_loaders",
     .help = "threads that read images; 0: the caller reads",
     .may_change = 1},
};
const struct mdm_option_table mdm_folder_options = {
    "folder", "", "image folder", rows, MDM_LENGTH(rows),
    sizeof(struct mdm_folder_options)};
const struct mdm_option_table mdm_images_options = {
    "folder", "", "image folder", rows + SIZES, MDM_LENGTH(rows) - SIZES,
    sizeof(struct mdm_folder_options)};
static const struct mdm_option_table reading = {"image", "", "reading an image", rows + SIZES, READING,
                                               sizeof(struct mdm_folder_options)};

static const struct mdm_option_table *const tables[] = {&mdm_folder_options};
const struct mdm_option_kind mdm_folder_kind = {"folder", "image folder", tables, 1, NULL};
static const struct mdm_option_table *const image_tables[] = {&reading};
const struct mdm_option_kind mdm_image_kind = {"image", "reading an image", image_tables, 1, NULL};
