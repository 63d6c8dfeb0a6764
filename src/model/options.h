/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of the networks.
 */
#ifndef MASKDM_MODEL_OPTIONS_H
#define MASKDM_MODEL_OPTIONS_H

#include "model/routing.h"
#include "option/option.h"

struct mdm_uvit_options {
    struct mdm_int_list image_size;
    int64_t patch_size, channels, dim, depth, heads;
    double mlp_ratio;
    int qkv_bias, time_mlp;
    int64_t classes;
    enum mdm_uvit_form { MDM_UVIT_MASKED, MDM_UVIT_ORIGINAL, MDM_UVIT_WAVELET } form;
    int conv;
    int64_t detail_scale;
    struct mdm_routing_told ways;
};

struct mdm_dit_options {
    struct mdm_int_list image_size;
    int64_t patch_size, channels, dim, depth, heads;
    double mlp_ratio;
    int64_t classes;
    int learn_sigma;
    enum mdm_dit_form { MDM_DIT_AUTHORS, MDM_DIT_DIFFUSERS } dit_form;
    struct mdm_routing_told ways;
};

struct mdm_sit_options {
    struct mdm_int_list image_size;
    int64_t patch_size, channels, dim, encoder_depth, middle_depth, decoder_depth, heads;
    double mlp_ratio;
    int64_t classes;
    enum mdm_sit_norm { MDM_SIT_LAYERNORM, MDM_SIT_RMSNORM } norm;
    int qk_norm;
    enum mdm_sit_mlp { MDM_SIT_GELU, MDM_SIT_SWIGLU, MDM_SIT_SWIGLU_LARGE } mlp;
    int qkv_bias, ffn_bias, adaln_bias;
    enum mdm_sit_adaln { MDM_SIT_ADALN_NORMAL, MDM_SIT_ADALN_LORA, MDM_SIT_ADALN_SWIGLU } adaln;
    int64_t adaln_lora_dim;
    int learn_sigma;
    struct mdm_routing_told ways;
};

struct mdm_jit_options {
    struct mdm_int_list image_size;
    int64_t patch_size, channels, dim, depth, heads;
    double mlp_ratio;
    int64_t classes, bottleneck, in_context_len, in_context_start;
    struct mdm_routing_told ways;
};

/* Rows that several networks have. They are one option for the outside, so that all but default and help must be the
 * same: those that differ follow behind. */
#define MDM_ROW_IMAGE_SIZE(of)                                                                         \
    MDM_OPTION(of, image_size), .min = 1, .max = 4096, .most = 2, .unit = "pixels",                    \
        .alias = "resolution|size|img_size|image_resolution",                                          \
        .help = "height and width of the images; one number for both"
#define MDM_ROW_PATCH_SIZE(of)                                                                         \
    MDM_OPTION(of, patch_size), .min = 1, .max = 256, .unit = "pixels", .alias = "patch",              \
        .help = "side of the square patches, which are tokens, and what a mask hides"
#define MDM_ROW_CHANNELS(of)                                                                           \
    MDM_OPTION(of, channels), .standard = "3", .min = 1, .max = 4,                                     \
        .alias = "in_channels|num_channels|n_channels|img_channels|in_chans",                          \
        .help = "channels of the images"
#define MDM_ROW_DIM(of)                                                                                \
    MDM_OPTION(of, dim), .min = 1, .max = 16384,                                                       \
        .alias = "hidden_size|hidden_dim|embed_dim|embedding_dim|model_dim|model_channels|d_model|"    \
                 "n_embd|width",                                                                       \
        .help = "width of a token"
#define MDM_ROW_DEPTH(of)                                                                              \
    MDM_OPTION(of, depth), .min = 1, .max = 255,                                                       \
        .alias = "layers|num_layers|n_layers|n_layer|num_blocks|blocks|num_hidden_layers"
#define MDM_ROW_HEADS(of)                                                                              \
    MDM_OPTION(of, heads), .min = 1, .max = 256,                                                       \
        .alias = "num_heads|n_heads|n_head|num_attention_heads|attention_heads",                       \
        .help = "attention heads; they divide dim"
#define MDM_ROW_MLP_RATIO(of)                                                                          \
    MDM_OPTION(of, mlp_ratio), .standard = "4", .min = 0.125, .max = 64,                               \
        .help = "width of the hidden layer, as a multiple of dim"
#define MDM_ROW_CLASSES(of)                                                                            \
    MDM_OPTION(of, classes), .standard = "0", .min = 0, .max = 1000000, .word = "auto",                \
        .alias = "num_classes|n_classes|num_labels|class_count|class_num",                             \
        .help = "number of labels; 0: no labels; auto: as many as the data have"
#define MDM_ROW_ROUTE_RATIO(of)                                                                        \
    MDM_OPTION_IN(of, ways, route_ratio), .standard = "0", .min = 0, .max = 1, .training_only = 1,              \
        .alias = "routing_ratio|selection_ratio",                                                      \
        .help = "share of the visible patches that pass the routed blocks by in training, below 1; 0: no routing"
#define MDM_ROW_ROUTE_FROM(of)                                                                         \
    MDM_OPTION_IN(of, ways, route_from), .standard = "2", .min = 0, .max = 127, .training_only = 1,             \
        .alias = "routing_start|start_layer_idx"
#define MDM_ROW_ROUTE_BEHIND(of)                                                                       \
    MDM_OPTION_IN(of, ways, route_behind), .standard = "3", .min = 0, .max = 254, .training_only = 1,           \
        .help = "blocks behind the routed ones, which with route_from are at most all there are"
#define MDM_ROW_ROUTES(of)                                                                             \
    MDM_OPTION_IN(of, ways, routes), .training_only = 1,                                                        \
        .help = "several routes in place of route_ratio, FIRST-LAST:RATIO apart by commas; blocks count from 0"
#define MDM_ROW_SPRINT(of)                                                                             \
    MDM_OPTION_IN(of, ways, sprint), .standard = "0", .min = 0, .max = 127,                                     \
        .help = "SPRINT: blocks on all patches in front, and as many behind, of those that see few; 0: none"
#define MDM_ROW_SPRINT_DROP(of)                                                                        \
    MDM_OPTION_IN(of, ways, sprint_drop), .standard = "0.75", .min = 0, .max = 1, .training_only = 1,           \
        .help = "with sprint: share of the patches that its deep blocks do not see in training, below 1"
#define MDM_ROW_SPRINT_SUBSET(of)                                                                      \
    MDM_CHOICE_IN(of, ways, sprint_subset), .standard = "grid", .choices = "grid|random", .training_only = 1,   \
        .help = "with sprint: which patches they see: as many of every 2x2 or 4x4, or any"
#define MDM_ROW_PATH_DROP(of)                                                                          \
    MDM_OPTION_IN(of, ways, path_drop), .standard = "0.1", .min = 0, .max = 1, .training_only = 1,              \
        .alias = "cfg_mask_prob",                                                                      \
        .help = "with sprint: share of the images trained without what comes from its deep blocks"
#define MDM_ROW_TRAIN_FILLER(of)                                                                       \
    MDM_OPTION_IN(of, ways, train_filler), .standard = "false", .training_only = 1,                             \
        .help = "with sprint: train the vector in the place of what is missing; its authors leave it as it began"

enum mdm_unet_sampling { MDM_UNET_CONV, MDM_UNET_RESNET };
enum mdm_unet_time { MDM_UNET_TIME_ADDED, MDM_UNET_TIME_SCALES };

struct mdm_unet_options {
    struct mdm_int_list image_size;
    int64_t patch_size, channels;
    struct mdm_int_list block_out_channels;
    int64_t layers_per_block;
    const char *down_block_types, *up_block_types;
    enum mdm_unet_sampling downsample_type, upsample_type;
    int64_t downsample_padding, attention_head_dim;
    int add_attention;
    int64_t norm_num_groups, attn_norm_num_groups;
    double norm_eps;
    enum mdm_unet_time resnet_time_scale_shift;
    int64_t time_embedding_dim, freq_shift;
    int flip_sin_to_cos;
    int64_t classes;
    int learn_sigma, mask_channel;
};

extern const struct mdm_option_table mdm_uvit_options, mdm_sit_options, mdm_dit_options, mdm_jit_options,
    mdm_unet_options;

extern const struct mdm_option_kind mdm_uvit_kind, mdm_sit_kind, mdm_dit_kind, mdm_jit_kind, mdm_unet_kind;

struct mdm_network_options {
    int network; /* mdm_network_at() */
};

/* For composites: picks among the tables of all networks. */
extern const struct mdm_option_table mdm_network_options;

extern const struct mdm_option_kind mdm_network_kind;

#endif
