/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What processes share that leave the image as it is and whose time is the noise's deviation sigma, between their
 * options sigma_min and sigma_max.
 */
#ifndef MASKDM_DIFFUSION_SIGMA_H
#define MASKDM_DIFFUSION_SIGMA_H

#include "diffusion/process.h"

/* A process with these facts, and what every such process has beside them. EINVAL where sigma_min, its first time, is
 * not below sigma_max, its last. */
int mdm_sigma_create(struct mdm_process **out, const maskdm_options *options, struct mdm_process facts);
struct mdm_level mdm_sigma_at(const struct mdm_process *p, double time);
double mdm_sigma_ratio(const struct mdm_process *p, double time);
double mdm_sigma_time_of(const struct mdm_process *p, double ratio);
/* Even in ln sigma. */
double mdm_sigma_time_at(const struct mdm_process *p, double share);

#endif
