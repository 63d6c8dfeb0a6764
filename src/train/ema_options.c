/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The running mean of the weights.
 */
#include "train/options.h"

#include "base/error.h"

#include <math.h>

static const struct mdm_option ema_rows[] = {
    {MDM_OPTION(mdm_ema_options, decay),
     .standard = "0.9999",
     .min = 0,
     .max = 1,
     .alias = "ema|use_ema|ema_rate|ema_beta|ema_momentum|ema_max_decay",
     .help = "largest decay of the mean; 0: no mean"},
    {MDM_OPTION(mdm_ema_options, start),
     .standard = "100",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .alias = "ema_warmup|ema_start_step|update_after_step",
     .help = "step up to which the mean is a copy"},
    {MDM_OPTION(mdm_ema_options, every),
     .standard = "1",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .alias = "ema_interval|ema_freq|ema_update_every|update_ema_every",
     .help = "steps from one update to the next"},
    {MDM_OPTION(mdm_ema_options, power),
     .standard = "0.6666666666666666",
     .min = 0,
     .max = 100,
     .help = "exponent of the decay's growth"},
    {MDM_OPTION(mdm_ema_options, inv_gamma),
     .standard = "1",
     .min = 1e-9,
     .max = INFINITY,
     .unit = "updates",
     .help = "time scale of the decay's growth"},
};
const struct mdm_option_table mdm_ema_options = {
    "ema", "ema_", "exponential moving average of the weights", ema_rows, MDM_LENGTH(ema_rows),
    sizeof(struct mdm_ema_options)};

static const struct mdm_option_table *const ema_tables[] = {&mdm_ema_options};
const struct mdm_option_kind mdm_ema_kind = {"ema", "exponential moving average of the weights", ema_tables, 1};
