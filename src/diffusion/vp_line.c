/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Betas on a line.
 */
#include "diffusion/vp_line.h"

#include <math.h>

static double exponent(const struct mdm_vp_line *line, double time)
{
    return (line->half_slope * time + line->least) * time;
}

struct mdm_level mdm_vp_line_at(const struct mdm_vp_line *line, double time)
{
    const double e = exponent(line, time);

    return (struct mdm_level){exp(-e / 2), sqrt(-expm1(-e))};
}

double mdm_vp_line_ratio(const struct mdm_vp_line *line, double time)
{
    return log(expm1(exponent(line, time))) / 2;
}

/* e = ln(1 + exp(2 ratio)), a square equation in time. */
double mdm_vp_line_time(const struct mdm_vp_line *line, double ratio)
{
    const double e = ratio > 300 ? 2 * ratio : log1p(exp(2 * ratio));

    return 2 * e / (line->least + sqrt(line->least * line->least + 4 * line->half_slope * e));
}

struct mdm_level mdm_vp_line_slope(const struct mdm_vp_line *line, struct mdm_level at)
{
    const double e = -2 * log(at.signal), beta = sqrt(line->least * line->least + 4 * line->half_slope * e);

    return (struct mdm_level){-beta / 2 * at.signal, beta / 2 * at.signal * at.signal / at.noise};
}
