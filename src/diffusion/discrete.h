/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The discrete process and its tables, for what belongs to it alone: ancestral sampling, and files that hold betas.
 */
#ifndef MASKDM_DIFFUSION_DISCRETE_H
#define MASKDM_DIFFUSION_DISCRETE_H

#include "diffusion/discrete_schedule.h"
#include "diffusion/process.h"

struct mdm_discrete {
    struct mdm_process base;
    struct mdm_schedule schedule;
};

/* NULL of any other process. */
const struct mdm_schedule *mdm_discrete_schedule(const struct mdm_process *p);

#endif
