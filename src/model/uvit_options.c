/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The network. The defaults are the smallest of the authors' networks that fits 32 x 32 images.
 */
#include "model/options.h"

#include "util/error.h"

static const struct maskdm_option uvit_rows[] = {
    {.name = "image_size",
     .type = MASKDM_OPTION_INT_LIST,
     .standard = "32",
     .min = 1,
     .max = 4096,
     .most = 2,
     .unit = "pixels",
     .help = "height and width of the images; one number for both"},
    {.name = "patch_size",
     .type = MASKDM_OPTION_INT,
     .standard = "4",
     .min = 1,
     .max = 256,
     .unit = "pixels",
     .help = "side of the square patches that become tokens"},
    {.name = "channels",
     .type = MASKDM_OPTION_INT,
     .standard = "3",
     .min = 1,
     .max = 4,
     .help = "channels of the images"},
    {.name = "dim", .type = MASKDM_OPTION_INT, .standard = "256", .min = 1, .max = 16384, .help = "width of a token"},
    {.name = "depth",
     .type = MASKDM_OPTION_INT,
     .standard = "9",
     .min = 1,
     .max = 255,
     .help = "transformer blocks: half in, one in the middle, half out; an even number makes one more"},
    {.name = "heads",
     .type = MASKDM_OPTION_INT,
     .standard = "4",
     .min = 1,
     .max = 256,
     .help = "attention heads; they divide dim"},
    {.name = "mlp_ratio",
     .type = MASKDM_OPTION_FLOAT,
     .standard = "4",
     .min = 0.125,
     .max = 64,
     .help = "width of the hidden layer, as a multiple of dim"},
    {.name = "qkv_bias",
     .type = MASKDM_OPTION_BOOL,
     .standard = "false",
     .help = "give queries, keys and values a bias"},
    {.name = "time_mlp",
     .type = MASKDM_OPTION_BOOL,
     .standard = "false",
     .help = "pass the time embedding through two layers"},
    {.name = "classes",
     .type = MASKDM_OPTION_INT,
     .standard = "0",
     .min = 0,
     .max = 1000000,
     .help = "number of labels; 0: no labels"},
};
const struct maskdm_option_table maskdm_uvit_options = {"uvit", "", "masked U-ViT network", uvit_rows,
                                                        MASKDM_LENGTH(uvit_rows)};

static const struct maskdm_option_table *const uvit_tables[] = {&maskdm_uvit_options};
const struct maskdm_option_kind maskdm_uvit_kind = {"uvit", "masked U-ViT network", uvit_tables, 1};
