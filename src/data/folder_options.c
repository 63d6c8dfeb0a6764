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
