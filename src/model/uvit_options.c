/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The network. The defaults are the smallest of the authors' networks that fits 32 x 32 images.
 */
#include "model/options.h"

#include "base/error.h"

static const struct mdm_option uvit_rows[] = {
    {MDM_OPTION(mdm_uvit_options, image_size),
     .standard = "32",
     .min = 1,
     .max = 4096,
     .most = 2,
     .unit = "pixels",
     .alias = "resolution|size|img_size|image_resolution",
     .help = "height and width of the images; one number for both"},
    {MDM_OPTION(mdm_uvit_options, patch_size),
     .standard = "4",
     .min = 1,
     .max = 256,
     .unit = "pixels",
     .alias = "patch",
     .help = "side of the square patches that become tokens"},
    {MDM_OPTION(mdm_uvit_options, channels),
     .standard = "3",
     .min = 1,
     .max = 4,
     .alias = "in_channels|num_channels|n_channels|img_channels|in_chans",
     .help = "channels of the images"},
    {MDM_OPTION(mdm_uvit_options, dim),
     .standard = "256",
     .min = 1,
     .max = 16384,
     .alias = "hidden_size|hidden_dim|embed_dim|embedding_dim|model_dim|model_channels|d_model|n_embd|width",
     .help = "width of a token"},
    {MDM_OPTION(mdm_uvit_options, depth),
     .standard = "9",
     .min = 1,
     .max = 255,
     .alias = "layers|num_layers|n_layers|n_layer|num_blocks|blocks|num_hidden_layers",
     .help = "transformer blocks: half in, one in the middle, half out; an even number makes one more"},
    {MDM_OPTION(mdm_uvit_options, heads),
     .standard = "4",
     .min = 1,
     .max = 256,
     .alias = "num_heads|n_heads|n_head|num_attention_heads|attention_heads",
     .help = "attention heads; they divide dim"},
    {MDM_OPTION(mdm_uvit_options, mlp_ratio),
     .standard = "4",
     .min = 0.125,
     .max = 64,
     .help = "width of the hidden layer, as a multiple of dim"},
    {MDM_OPTION(mdm_uvit_options, qkv_bias),
     .standard = "false",
     .help = "give queries, keys and values a bias"},
    {MDM_OPTION(mdm_uvit_options, time_mlp),
     .standard = "false",
     .help = "pass the time embedding through two layers"},
    {MDM_OPTION(mdm_uvit_options, classes),
     .standard = "0",
     .min = 0,
     .max = 1000000,
     .alias = "num_classes|n_classes|num_labels|class_count|class_num",
     .help = "number of labels; 0: no labels"},
};
const struct mdm_option_table mdm_uvit_options = {
    "uvit", "", "masked U-ViT network", uvit_rows, MDM_LENGTH(uvit_rows),
    sizeof(struct mdm_uvit_options)};

static const struct mdm_option_table *const uvit_tables[] = {&mdm_uvit_options};
const struct mdm_option_kind mdm_uvit_kind = {"uvit", "masked U-ViT network", uvit_tables, 1};
