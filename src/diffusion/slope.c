/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Following a path by its slope.
 */
#include "diffusion/slope.h"

#include "base/error.h"

#include <math.h>

const struct mdm_option mdm_slope_options[MDM_SLOPE_OPTIONS] = {
    {MDM_STEPS(mdm_slope_options, "50")},
    {MDM_OPTION(mdm_slope_options, churn), .standard = "0", .min = 0, .max = 1e6, .alias = "s_churn",
     .help = "noise that is added on the way, over all steps; 0: none"},
    {MDM_OPTION(mdm_slope_options, churn_min), .standard = "0", .min = 0, .max = 1e9, .alias = "s_min|s_tmin",
     .needs = "churn", .help = "least noise-to-signal ratio at which it is"},
    {MDM_OPTION(mdm_slope_options, churn_max), .standard = "1000000000", .min = 0, .max = 1e9,
     .alias = "s_max|s_tmax", .needs = "churn", .help = "most noise-to-signal ratio at which it is"},
    {MDM_OPTION(mdm_slope_options, churn_noise), .standard = "1", .min = 0, .max = 100, .alias = "s_noise",
     .needs = "churn", .help = "deviation of that noise"},
};

int mdm_slope_read(struct mdm_method *s, const maskdm_options *options, const struct mdm_option_table *table)
{
    const struct mdm_process *p = s->scheduler->process;
    struct mdm_slope_options o;

    mdm_options_read(options, table, &o);
    s->steps = o.steps;
    s->needs_trace = !mdm_process_is_straight(p);
    s->churn = o.churn;
    s->churn_min = o.churn_min;
    s->churn_max = o.churn_max;
    s->churn_noise = o.churn_noise;
    if (o.churn > 0 && mdm_process_is_straight(p))
        return mdm_fail(MASKDM_EINVAL, "churn %g has no meaning for the straight path of process %s", o.churn,
                        p->kind->name);
    return MASKDM_OK;
}

/* The share by which a step begins with more noise. */
static double churn_of(const struct mdm_method *s, double ratio)
{
    static const double most = 0.41421356237309503; /* sqrt(2) - 1 */

    return ratio >= s->churn_min && ratio <= s->churn_max ? fmin(s->churn / (double)s->steps, most) : 0;
}

static struct mdm_path path_of(const struct mdm_process *p, struct mdm_stop stop)
{
    return mdm_process_path(p, stop.time, stop.level);
}

struct mdm_leg mdm_slope_begin(const struct mdm_method *s, int64_t i, struct mdm_evaluation *out)
{
    const struct mdm_process *p = s->scheduler->process;
    struct mdm_leg leg = {path_of(p, s->way[i].from), path_of(p, s->way[i].to)};
    const double churn = churn_of(s, leg.from.at);
    struct mdm_stop at;
    struct mdm_path path;
    double more;

    out->at = s->way[i].from;
    out->before_x = 1;
    out->before_z = 0;
    if (churn <= 0)
        return leg;
    more = leg.from.at * (1 + churn);
    at = mdm_stop_at(p, p->kind->time_of(p, log(more)));
    path = path_of(p, at);
    /* A schedule's last time has no noisier one, and may have no image to be noisier than. */
    if (!(path.at > leg.from.at) || isinf(path.at))
        return leg;
    more = fmin(more, path.at);
    out->at = at;
    out->before_x = path.scale / leg.from.scale;
    out->before_z = path.scale * sqrt(more * more - leg.from.at * leg.from.at) * s->churn_noise;
    leg.from = path;
    return leg;
}

double mdm_slope_divisor(const struct mdm_method *s, struct mdm_path at)
{
    return fmax(at.at, s->scheduler->least_slope_time);
}

void mdm_slope_euler(const struct mdm_method *s, struct mdm_leg leg, struct mdm_terms *out)
{
    const double way = (leg.to.at - leg.from.at) / mdm_slope_divisor(s, leg.from);

    out->x = leg.to.scale / leg.from.scale * (1 + way);
    out->x0 = -leg.to.scale * way;
}
