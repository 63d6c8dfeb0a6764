/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The running mean of the weights.
 */
#include "train/ema.h"

#include "base/error.h"

#include <math.h>

static const struct mdm_option ema_rows[] = {
    {MDM_CHOICE(mdm_ema_options, type), .standard = "exponential", .named = mdm_ema_name,
     .alias = "ema_kind|ema_mode|ema_profile",
     .help = "how the mean forgets: by a decay that grows, by the same share of the run at any step, by half in so "
             "many steps"},
    {MDM_OPTION(mdm_ema_options, decay), .standard = "0.9999", .min = 0, .max = 1, .when = "exponential",
     .alias = "use_ema|ema_rate|ema_beta|ema_momentum|ema_max_decay",
     .help = "largest decay of the mean; 0: no mean"},
    {MDM_OPTION(mdm_ema_options, start), .standard = "100", .when = "exponential", .min = 0, .max = INFINITY,
     .unit = "steps", .alias = "ema_warmup|ema_start_step|update_after_step",
     .help = "step up to which the mean is a copy"},
    {MDM_OPTION(mdm_ema_options, every), .standard = "1", .when = "exponential", .min = 1, .max = INFINITY,
     .unit = "steps", .alias = "ema_interval|ema_freq|ema_update_every|update_ema_every",
     .help = "steps from one update to the next"},
    {MDM_OPTION(mdm_ema_options, power), .standard = "0.6666666666666666", .when = "exponential", .min = 0,
     .max = 100, .help = "exponent of the decay's growth"},
    {MDM_OPTION(mdm_ema_options, inv_gamma), .standard = "1", .when = "exponential", .min = 1e-9, .max = INFINITY,
     .unit = "updates", .help = "time scale of the decay's growth"},
    {MDM_OPTION(mdm_ema_options, std), .standard = "0.05,0.1", .min = MDM_EMA_NARROWEST, .max = MDM_EMA_WIDEST,
     .most = MDM_WIDTHS, .when = "power", .alias = "ema_stds|ema_width|ema_widths|sigma_rel",
     .help = "widths of the means, each kept apart: the deviation of a mean's weights, as a share of the run so far; "
             "the first is what is shown and sampled"},
    {MDM_OPTION(mdm_ema_options, halflife), .required = 1, .min = 1e-3, .max = INFINITY, .unit = "steps",
     .when = "halflife", .alias = "ema_half_life",
     .help = "steps after which a step's weights count half; fractions count"},
    {MDM_OPTION(mdm_ema_options, ramp), .standard = "0", .min = 0, .max = 1000, .when = "halflife",
     .alias = "ema_rampup_ratio|rampup_ratio",
     .help = "share of the steps so far that the half-life is at most; 0: no bound"},
};
const struct mdm_option_table mdm_ema_options = {
    "ema", "ema_", "exponential moving average of the weights", ema_rows, MDM_LENGTH(ema_rows),
    sizeof(struct mdm_ema_options)};

static const struct mdm_option_table *const ema_tables[] = {&mdm_ema_options};
const struct mdm_option_kind mdm_ema_kind = {"ema", "exponential moving average of the weights", ema_tables, 1, NULL};

static int read_widths(struct mdm_ema_rule *r, const struct mdm_float_list *std, const maskdm_options *o)
{
    for (int i = 0; i < std->count; i++) {
        for (int k = 0; k < i; k++)
            if (std->value[i] == std->value[k])
                return mdm_fail(MASKDM_EINVAL, "%s has %g twice", mdm_options_said(o, "std"), std->value[i]);
        r->std[i] = std->value[i];
        r->exponent[i] = mdm_ema_exponent(std->value[i]);
    }
    r->widths = std->count;
    return MASKDM_OK;
}

int mdm_ema_read(struct mdm_ema_rule *out, const maskdm_options *o)
{
    struct mdm_ema_options told;

    mdm_options_read(o, &mdm_ema_options, &told);
    *out = (struct mdm_ema_rule){.type = told.type,
                                 .widths = told.type != MDM_EMA_EXPONENTIAL || told.decay > 0,
                                 .decay = told.decay,
                                 .inv_gamma = told.inv_gamma,
                                 .power = told.power,
                                 .halflife = told.halflife,
                                 .ramp = told.ramp,
                                 .start = told.start,
                                 .every = told.every};
    return told.type == MDM_EMA_POWER ? read_widths(out, &told.std, o) : MASKDM_OK;
}
