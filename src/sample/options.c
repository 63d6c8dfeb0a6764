/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Painting a part of a picture.
 */
#include "sample/options.h"

#include "base/error.h"

static const struct mdm_option rows[] = {
    {MDM_OPTION(mdm_inpaint_options, resample), .standard = "1", .min = 1, .max = 100,
     .alias = "jump_n_sample|n_sample|num_resample|resample_steps|u", .needs = "inpaint",
     .help = "how often each stretch of steps is done, going back by new noise in between, as RePaint does; 1: once"},
    {MDM_OPTION(mdm_inpaint_options, jump_length), .standard = "10", .min = 1, .max = 100000, .unit = "steps",
     .alias = "jump_len|stretch|resample_length", .needs = "resample", .help = "length of such a stretch"},
    {MDM_OPTION(mdm_inpaint_options, surround), .standard = "0", .min = 0, .max = 4096, .unit = "patches",
     .alias = "context|hole_context|ring|margin|padding", .needs = "inpaint",
     .help = "width of what the network sees around the hole, for one that was trained with masks: the rest is kept "
             "from it as in training, and costs nothing; 0: it sees all"},
};
const struct mdm_option_table mdm_inpaint_options = {
    "inpaint", "", "painting a part of a picture", rows, MDM_LENGTH(rows), sizeof(struct mdm_inpaint_options)};

static const struct mdm_option_table *const tables[] = {&mdm_inpaint_options};
const struct mdm_option_kind mdm_inpaint_kind = {"inpaint", "painting a part of a picture", tables, 1, NULL};
