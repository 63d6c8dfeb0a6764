/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of data sets.
 */
#ifndef MASKDM_DATA_OPTIONS_H
#define MASKDM_DATA_OPTIONS_H

#include "image/image.h"
#include "option/option.h"

enum mdm_orientation { MDM_ORIENTATION_FOLLOW, MDM_ORIENTATION_IGNORE };
enum mdm_crop { MDM_CROP_CENTRE, MDM_CROP_RANDOM, MDM_CROP_NONE };

struct mdm_folder_options {
    struct mdm_int_list image_size;
    int64_t channels;
    struct mdm_float_list background;
    enum mdm_orientation orientation;
    enum mdm_filter resize;
    enum mdm_crop crop;
    int pad;
    double crop_margin;
    const char *label_file, *label_attribute;
    int64_t image_pixels, image_memory, cache_limit, loaders;
};

extern const struct mdm_option_table mdm_folder_options;
/* For composites: without image_size and channels, which the caller sets from the network. Its name is "folder" too,
 * so that it is read as that. */
extern const struct mdm_option_table mdm_images_options;

extern const struct mdm_option_kind mdm_folder_kind;
extern const struct mdm_option_kind mdm_image_kind; /* the rows that tell how one image is read */

#endif
