/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times of the discrete process as diffusers lists them (Lin et al. 2024, arXiv 2305.08891, table 2): whole ones with
 * the table's levels, or real ones whose noise-to-signal ratio lies on the line between its neighbours'.
 */
#ifndef MASKDM_DIFFUSION_DISCRETE_LISTED_H
#define MASKDM_DIFFUSION_DISCRETE_LISTED_H

#include "diffusion/discrete.h"
#include "diffusion/spacing.h"

/* T, of which a process that was cut short has fewer. */
int64_t mdm_listed_count(const struct mdm_process *p);
double mdm_listed_leading(const struct mdm_span *s, int64_t i);
double mdm_listed_trailing(const struct mdm_span *s, int64_t i);
double mdm_listed_linspace(const struct mdm_span *s, int64_t i);
/* noise / signal at a time, and that of the table's end where it has no signal left. */
double mdm_listed_ratio(const struct mdm_schedule *table, double time);
/* The time at which the logarithm of that is nearest to `ratio`, linear between whole ones. */
double mdm_listed_time_of(const struct mdm_schedule *table, double ratio);
/* Of a process that preserves variance. */
struct mdm_level mdm_listed_level(double ratio);

#endif
