/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Samplers.
 */
#include "sample/options.h"

#include "util/error.h"

static const struct maskdm_option sampler_rows[] = {
    {.name = "sampler",
     .type = MASKDM_OPTION_CHOICE,
     .standard = "ddim",
     .choices = "ddpm|ddim|dpmpp",
     .help = "how an image is drawn from noise"},
    {.name = "steps",
     .type = MASKDM_OPTION_INT,
     .standard = "50",
     .min = 1,
     .max = 100000,
     .unit = "steps",
     .when = "ddim|dpmpp",
     .help = "network evaluations per image"},
    {.name = "eta",
     .type = MASKDM_OPTION_FLOAT,
     .standard = "0",
     .min = 0,
     .max = 100,
     .when = "ddim",
     .help = "share of fresh noise in each step; 0: none"},
    {.name = "spacing",
     .type = MASKDM_OPTION_CHOICE,
     .standard = "logsnr",
     .choices = "time|logsnr",
     .when = "dpmpp",
     .help = "what the steps divide evenly: time, or the log signal-to-noise ratio"},
    {.name = "guidance",
     .type = MASKDM_OPTION_FLOAT,
     .standard = "1",
     .min = 0,
     .max = 100,
     .help = "guidance scale: 1 follows the label, more exaggerates it at twice the cost; for networks with labels"},
    {.name = "clip", .type = MASKDM_OPTION_BOOL, .standard = "true", .help = "keep predicted images within -1 .. 1"},
    {.name = "seed",
     .type = MASKDM_OPTION_INT,
     .standard = "0",
     .help = "seed of the first image; the next have the next"},
    {.name = "batch_size",
     .type = MASKDM_OPTION_INT,
     .standard = "16",
     .min = 1,
     .max = 65536,
     .unit = "images",
     .help = "images drawn at once; changes no image",
     .may_change = 1},
};
const struct maskdm_option_table maskdm_sampler_options = {"sampler", "", "sampler", sampler_rows,
                                                           MASKDM_LENGTH(sampler_rows)};

static const struct maskdm_option_table *const sampler_tables[] = {&maskdm_sampler_options};
const struct maskdm_option_kind maskdm_sampler_kind = {"sampler", "sampler", sampler_tables, 1};
