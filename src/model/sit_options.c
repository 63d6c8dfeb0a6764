/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The transformer of a sprint's authors. The defaults are the smallest of their networks, with patches for 32 x 32
 * images and the share of deep blocks that they found best at twelve.
 */
#include "model/options.h"

#include "base/error.h"

#define MDM_ROW_PART(part, number, text)                                                               \
    MDM_OPTION(mdm_sit_options, part), .standard = number, .min = 0, .max = 85, .help = text

static const struct mdm_option sit_rows[] = {
    {MDM_ROW_IMAGE_SIZE(mdm_sit_options), .standard = "32"},
    {MDM_ROW_PATCH_SIZE(mdm_sit_options), .standard = "4"},
    {MDM_ROW_CHANNELS(mdm_sit_options)},
    {MDM_ROW_DIM(mdm_sit_options), .standard = "384"},
    {MDM_ROW_PART(encoder_depth, "2", "blocks in front, which see all patches")},
    {MDM_OPTION(mdm_sit_options, middle_depth),
     .standard = "8",
     .min = 1,
     .max = 85,
     .help = "deep blocks between, which see few patches in training"},
    {MDM_ROW_PART(decoder_depth, "2", "blocks behind, which see all patches")},
    {MDM_ROW_HEADS(mdm_sit_options), .standard = "6"},
    {MDM_ROW_MLP_RATIO(mdm_sit_options)},
    {MDM_ROW_CLASSES(mdm_sit_options)},
    {MDM_CHOICE(mdm_sit_options, norm),
     .standard = "layernorm",
     .choices = "layernorm|rmsnorm",
     .alias = "norm_type|norm_layer",
     .help = "a block's norms: without weights, or with them"},
    {MDM_OPTION(mdm_sit_options, qk_norm),
     .standard = "true",
     .alias = "q_norm|k_norm|qk_norm_weight",
     .help = "norm each head's queries and keys before they are turned"},
    {MDM_CHOICE(mdm_sit_options, mlp),
     .standard = "gelu",
     .choices = "gelu|swiglu|swiglu_large",
     .help = "hidden layer: GELU, or SwiGLU of two thirds or all of its width"},
    {MDM_OPTION(mdm_sit_options, qkv_bias), .standard = "true", .help = "give queries, keys and values a bias"},
    {MDM_OPTION(mdm_sit_options, ffn_bias), .standard = "true", .help = "give the hidden layers a bias"},
    {MDM_OPTION(mdm_sit_options, adaln_bias),
     .standard = "true",
     .help = "give what the time and the class say to a block a bias"},
    {MDM_CHOICE(mdm_sit_options, adaln),
     .standard = "normal",
     .choices = "normal|lora|swiglu",
     .alias = "adaln_type",
     .help = "how they say it: by one layer a block; by a narrow one and one of all blocks; by SwiGLU"},
    {MDM_OPTION(mdm_sit_options, adaln_lora_dim),
     .standard = "64",
     .min = 1,
     .max = 16384,
     .help = "with adaln lora: width of the narrow layer"},
    {MDM_OPTION(mdm_sit_options, learn_sigma),
     .standard = "false",
     .alias = "learned_sigma|learn_variance",
     .help = "predict a variance in as many more channels, which neither loss nor samplers use"},
    {MDM_ROW_SPRINT_DROP(mdm_sit_options)},
    {MDM_ROW_SPRINT_SUBSET(mdm_sit_options)},
    {MDM_ROW_PATH_DROP(mdm_sit_options)},
    {MDM_ROW_TRAIN_FILLER(mdm_sit_options)},
};
const struct mdm_option_table mdm_sit_options = {
    "sit", "", "diffusion transformer with a sprint", sit_rows, MDM_LENGTH(sit_rows),
    sizeof(struct mdm_sit_options)};

static const struct mdm_option_table *const sit_tables[] = {&mdm_sit_options};
const struct mdm_option_kind mdm_sit_kind = {"sit", "diffusion transformer with a sprint", sit_tables, 1, NULL};
