/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plain transformer for pixels. The defaults are the smallest of the authors' networks, with patches for 32 x 32
 * images.
 */
#include "model/options.h"

#include "base/error.h"

static const struct mdm_option jit_rows[] = {
    {MDM_ROW_IMAGE_SIZE(mdm_jit_options), .standard = "32"},
    {MDM_ROW_PATCH_SIZE(mdm_jit_options), .standard = "4"},
    {MDM_ROW_CHANNELS(mdm_jit_options)},
    {MDM_ROW_DIM(mdm_jit_options), .standard = "768"},
    {MDM_ROW_DEPTH(mdm_jit_options), .standard = "12", .help = "transformer blocks"},
    {MDM_ROW_HEADS(mdm_jit_options), .standard = "12"},
    {MDM_ROW_MLP_RATIO(mdm_jit_options)},
    {MDM_ROW_CLASSES(mdm_jit_options)},
    {MDM_OPTION(mdm_jit_options, bottleneck),
     .standard = "128",
     .min = 1,
     .max = 16384,
     .alias = "bottleneck_dim|pca_dim|bottleneck_width",
     .help = "width to which a patch is brought before it becomes a token"},
    {MDM_OPTION(mdm_jit_options, in_context_len),
     .standard = "32",
     .min = 0,
     .max = 1024,
     .alias = "in_context_tokens|context_len|num_class_tokens",
     .help = "tokens that tell the class in front of the patches; 0: none"},
    {MDM_OPTION(mdm_jit_options, in_context_start),
     .standard = "-1",
     .min = -1,
     .max = 254,
     .alias = "context_start",
     .help = "blocks before them; -1: a third of depth, as the authors have it"},
    {MDM_ROW_ROUTE_RATIO(mdm_jit_options)},
    {MDM_ROW_ROUTE_FROM(mdm_jit_options), .help = "blocks before the routed ones"},
    {MDM_ROW_ROUTE_BEHIND(mdm_jit_options)},
    {MDM_ROW_ROUTES(mdm_jit_options)},
    {MDM_ROW_SPRINT(mdm_jit_options)},
    {MDM_ROW_SPRINT_DROP(mdm_jit_options)},
    {MDM_ROW_SPRINT_SUBSET(mdm_jit_options)},
    {MDM_ROW_PATH_DROP(mdm_jit_options)},
    {MDM_ROW_TRAIN_FILLER(mdm_jit_options)},
};
const struct mdm_option_table mdm_jit_options = {
    "jit", "", "plain transformer for pixels", jit_rows, MDM_LENGTH(jit_rows),
    sizeof(struct mdm_jit_options)};

static const struct mdm_option_table *const jit_tables[] = {&mdm_jit_options};
const struct mdm_option_kind mdm_jit_kind = {"jit", "plain transformer for pixels", jit_tables, 1, NULL};
