/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Variance that is preserved under betas on a line over time 0 .. 1 (Song et al. 2021, arXiv 2011.13456): with
 * e = half_slope t^2 + least t, signal^2 = exp(-e), and beta = e' = least + 2 half_slope t.
 */
#ifndef MASKDM_DIFFUSION_VP_LINE_H
#define MASKDM_DIFFUSION_VP_LINE_H

#include "diffusion/process.h"

struct mdm_vp_line {
    double half_slope, least; /* (beta_max - beta_min) / 2, beta_min */
};

struct mdm_level mdm_vp_line_at(const struct mdm_vp_line *line, double time);
/* ln(noise / signal), and the time at which it has a value. */
double mdm_vp_line_ratio(const struct mdm_vp_line *line, double time);
double mdm_vp_line_time(const struct mdm_vp_line *line, double ratio);
/* How much both grow in a unit of time. */
struct mdm_level mdm_vp_line_slope(const struct mdm_vp_line *line, struct mdm_level at);

#endif
