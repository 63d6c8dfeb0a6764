/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The network. The defaults are the smallest of the authors' networks that fits 32 x 32 images.
 */
#include "model/options.h"

#include "base/error.h"

static const struct mdm_option uvit_rows[] = {
    {MDM_ROW_IMAGE_SIZE(mdm_uvit_options), .standard = "32"},
    {MDM_ROW_PATCH_SIZE(mdm_uvit_options), .standard = "4"},
    {MDM_ROW_CHANNELS(mdm_uvit_options)},
    {MDM_ROW_DIM(mdm_uvit_options), .standard = "256"},
    {MDM_ROW_DEPTH(mdm_uvit_options), .standard = "9",
     .help = "transformer blocks: half in, one in the middle, half out; an even number makes one more"},
    {MDM_ROW_HEADS(mdm_uvit_options), .standard = "4"},
    {MDM_ROW_MLP_RATIO(mdm_uvit_options)},
    {MDM_OPTION(mdm_uvit_options, qkv_bias),
     .standard = "false",
     .help = "give queries, keys and values a bias"},
    {MDM_OPTION(mdm_uvit_options, time_mlp),
     .standard = "false",
     .help = "pass the time embedding through two layers"},
    {MDM_ROW_CLASSES(mdm_uvit_options)},
    {MDM_CHOICE(mdm_uvit_options, form),
     .standard = "masked",
     .choices = "masked|original|wavelet",
     .help = "whose parameters: those of masked diffusion models (Lei et al.), or of the first U-ViT (Bao et al.), "
             "whose label table's last row is the null class; or the former's first version, of Haar's wavelets, "
             "of which patch_size counts coefficients"},
    {MDM_OPTION(mdm_uvit_options, conv),
     .standard = "false",
     .alias = "final_layer|final_conv",
     .help = "end in a 3x3 convolution over the image, to which hidden patches are zeros"},
    {MDM_OPTION(mdm_uvit_options, detail_scale),
     .standard = "1",
     .min = 1,
     .max = 64,
     .help = "form=wavelet: patches of details are so many times as wide as those of the approximation"},
    {MDM_ROW_ROUTE_RATIO(mdm_uvit_options)},
    {MDM_ROW_ROUTE_FROM(mdm_uvit_options), .help = "blocks before the routed ones, and as many behind them"},
    {MDM_ROW_SPRINT(mdm_uvit_options)},
    {MDM_ROW_SPRINT_DROP(mdm_uvit_options)},
    {MDM_ROW_SPRINT_SUBSET(mdm_uvit_options)},
    {MDM_ROW_PATH_DROP(mdm_uvit_options)},
    {MDM_ROW_TRAIN_FILLER(mdm_uvit_options)},
};
const struct mdm_option_table mdm_uvit_options = {
    "uvit", "", "masked U-ViT network", uvit_rows, MDM_LENGTH(uvit_rows),
    sizeof(struct mdm_uvit_options)};

static const struct mdm_option_table *const uvit_tables[] = {&mdm_uvit_options};
const struct mdm_option_kind mdm_uvit_kind = {"uvit", "masked U-ViT network", uvit_tables, 1, NULL};
