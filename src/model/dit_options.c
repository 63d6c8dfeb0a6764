/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The diffusion transformer. The defaults are the smallest of the authors' networks, with patches for 32 x 32 images.
 */
#include "model/options.h"

#include "base/error.h"

static const struct mdm_option dit_rows[] = {
    {MDM_OPTION(mdm_dit_options, image_size),
     .standard = "32",
     .min = 1,
     .max = 4096,
     .most = 2,
     .unit = "pixels",
     .alias = "resolution|size|img_size|image_resolution",
     .help = "height and width of the images; one number for both"},
    {MDM_OPTION(mdm_dit_options, patch_size),
     .standard = "4",
     .min = 1,
     .max = 256,
     .unit = "pixels",
     .alias = "patch",
     .help = "side of the square patches that become tokens"},
    {MDM_OPTION(mdm_dit_options, channels),
     .standard = "3",
     .min = 1,
     .max = 4,
     .alias = "in_channels|num_channels|n_channels|img_channels|in_chans",
     .help = "channels of the images"},
    {MDM_OPTION(mdm_dit_options, dim),
     .standard = "384",
     .min = 1,
     .max = 16384,
     .alias = "hidden_size|hidden_dim|embed_dim|embedding_dim|model_dim|model_channels|d_model|n_embd|width",
     .help = "width of a token"},
    {MDM_OPTION(mdm_dit_options, depth),
     .standard = "12",
     .min = 1,
     .max = 255,
     .alias = "layers|num_layers|n_layers|n_layer|num_blocks|blocks|num_hidden_layers",
     .help = "transformer blocks"},
    {MDM_OPTION(mdm_dit_options, heads),
     .standard = "6",
     .min = 1,
     .max = 256,
     .alias = "num_heads|n_heads|n_head|num_attention_heads|attention_heads",
     .help = "attention heads; they divide dim"},
    {MDM_OPTION(mdm_dit_options, mlp_ratio),
     .standard = "4",
     .min = 0.125,
     .max = 64,
     .help = "width of the hidden layer, as a multiple of dim"},
    {MDM_OPTION(mdm_dit_options, classes),
     .standard = "0",
     .min = 0,
     .max = 1000000,
     .alias = "num_classes|n_classes|num_labels|class_count|class_num",
     .help = "number of labels; 0: no labels"},
    {MDM_OPTION(mdm_dit_options, learn_sigma),
     .standard = "false",
     .alias = "learned_sigma|learn_variance",
     .help = "predict a variance in as many more channels, which neither loss nor samplers use"},
};
const struct mdm_option_table mdm_dit_options = {
    "dit", "", "diffusion transformer with adaLN-Zero", dit_rows, MDM_LENGTH(dit_rows),
    sizeof(struct mdm_dit_options)};

static const struct mdm_option_table *const dit_tables[] = {&mdm_dit_options};
const struct mdm_option_kind mdm_dit_kind = {"dit", "diffusion transformer with adaLN-Zero", dit_tables, 1};
