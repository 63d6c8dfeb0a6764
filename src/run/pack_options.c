/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of packing.
 */
#include "run/options.h"

#include "base/error.h"
#include "data/options.h"

static const struct mdm_option rows[] = {
    {MDM_OPTION(mdm_pack_run_options, data), .required = 1, .is_path = 1, .alias = "source|dataset|images|from|input",
     .help = "images: a folder, an archive, arrays"},
    {MDM_OPTION(mdm_pack_run_options, out), .required = 1, .is_path = 1, .alias = "output|dest|to",
     .help = "packed file to write, a .safetensors"},
    {MDM_OPTION(mdm_pack_run_options, image_size), .min = 1, .max = 65535, .most = 2, .unit = "pixels",
     .alias = "resolution|size|img_size|image_resolution",
     .help = "height and width to which images are fitted; unset: as they are, all of one size"},
    {MDM_OPTION(mdm_pack_run_options, channels), .standard = "3", .min = 1, .max = 4,
     .help = "channels that images are brought to"},
    {MDM_OPTION(mdm_pack_run_options, bits), .standard = "8", .min = 8, .max = 16, .alias = "depth",
     .help = "bits of a sample, 8 or 16; with 8, images of 16 are refused"},
    {MDM_OPTION(mdm_pack_run_options, resume), .standard = "false",
     .help = "go on with what an interrupted call has left in OUT.part"},
};
const struct mdm_option_table mdm_pack_run_options = {
    "run", "", "the packing itself", rows, MDM_LENGTH(rows), sizeof(struct mdm_pack_run_options)};

static const struct mdm_option_table *const tables[] = {&mdm_pack_run_options, &mdm_images_options};
const struct mdm_option_kind mdm_pack_kind = {"pack", "packing images for training", tables,
                                              MDM_LENGTH(tables), NULL};
