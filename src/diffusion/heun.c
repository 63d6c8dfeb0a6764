/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Heun's method along the path of a process (Karras et al. 2022, algorithms 1 and 2): Euler's step, then the mean of
 * the slopes at both of its ends. The step to the image is Euler's alone, since no slope is known there.
 */
#include "base/error.h"
#include "diffusion/slope.h"

static const struct mdm_option_table table = {"heun",
                                              "",
                                              "second order along the path, two evaluations a step",
                                              mdm_slope_options,
                                              MDM_SLOPE_OPTIONS,
                                              sizeof(struct mdm_slope_options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    return mdm_slope_read(s, options, &table);
}

static int64_t evaluations(const struct mdm_method *s)
{
    return 2 * s->steps - (s->way[s->steps - 1].to.level.noise == 0);
}

/* y'' = y + way / 2 (slope there + slope here), with y the step's start and x at its end. */
static void correct(const struct mdm_method *s, struct mdm_leg leg, struct mdm_terms *out)
{
    const double half = (leg.to.at - leg.from.at) / 2;
    const double here = half / mdm_slope_divisor(s, leg.to), there = half / mdm_slope_divisor(s, leg.from);

    *out = (struct mdm_terms){.x = here,
                              .x0 = -leg.to.scale * here,
                              .start = leg.to.scale / leg.from.scale * (1 + there),
                              .before = {-leg.to.scale * there}};
}

static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_leg leg = mdm_slope_begin(s, e / 2, out);

    out->step = e / 2;
    out->keeps = e % 2 == 0;
    out->kept = (struct mdm_terms){.x = 1};
    out->next = (struct mdm_terms){0};
    if (out->keeps) {
        mdm_slope_euler(s, leg, &out->next);
        return MASKDM_OK;
    }
    correct(s, leg, &out->next);
    out->at = s->way[e / 2].to;
    out->before_x = 1;
    out->before_z = 0;
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_heun = {.name = "heun",
                                                 .options = &table,
                                                 .looks_back = 1,
                                                 .keeps = 1,
                                                 .all_noise = 1,
                                                 .listing = MDM_LISTING_REAL,
                                                 .read = read,
                                                 .evaluations = evaluations,
                                                 .evaluation = evaluation};
