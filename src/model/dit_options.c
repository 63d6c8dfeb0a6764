/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The diffusion transformer. The defaults are the smallest of the authors' networks, with patches for 32 x 32 images.
 */
#include "model/options.h"

#include "base/error.h"

static const struct mdm_option dit_rows[] = {
    {MDM_ROW_IMAGE_SIZE(mdm_dit_options), .standard = "32"},
    {MDM_ROW_PATCH_SIZE(mdm_dit_options), .standard = "4"},
    {MDM_ROW_CHANNELS(mdm_dit_options)},
    {MDM_ROW_DIM(mdm_dit_options), .standard = "384"},
    {MDM_ROW_DEPTH(mdm_dit_options), .standard = "12", .help = "transformer blocks"},
    {MDM_ROW_HEADS(mdm_dit_options), .standard = "6"},
    {MDM_ROW_MLP_RATIO(mdm_dit_options)},
    {MDM_ROW_CLASSES(mdm_dit_options)},
    {MDM_OPTION(mdm_dit_options, learn_sigma), .standard = "false", .alias = "learned_sigma|learn_variance",
     .help = "say a variance in as many more channels, by which ddpm draws with variance learned_range; the loss "
             "leaves it alone"},
    {MDM_CHOICE(mdm_dit_options, dit_form), .standard = "authors", .choices = "authors|diffusers",
     .help =
         "whose: DiT's authors', or diffusers', which spaces the frequencies of the time otherwise and adds 1e-5, "
         "not 1e-6, in a block's second norm"},
    {MDM_ROW_ROUTE_RATIO(mdm_dit_options)},
    {MDM_ROW_ROUTE_FROM(mdm_dit_options), .help = "blocks before the routed ones"},
    {MDM_ROW_ROUTE_BEHIND(mdm_dit_options)},
    {MDM_ROW_ROUTES(mdm_dit_options)},
    {MDM_ROW_SPRINT(mdm_dit_options)},
    {MDM_ROW_SPRINT_DROP(mdm_dit_options)},
    {MDM_ROW_SPRINT_SUBSET(mdm_dit_options)},
    {MDM_ROW_PATH_DROP(mdm_dit_options)},
    {MDM_ROW_TRAIN_FILLER(mdm_dit_options)},
};
const struct mdm_option_table mdm_dit_options = {
    "dit", "", "diffusion transformer with adaLN-Zero", dit_rows, MDM_LENGTH(dit_rows),
    sizeof(struct mdm_dit_options)};

static const struct mdm_option_table *const dit_tables[] = {&mdm_dit_options};
const struct mdm_option_kind mdm_dit_kind = {"dit", "diffusion transformer with adaLN-Zero", dit_tables, 1, NULL};
