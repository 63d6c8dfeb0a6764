/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DDIM's step, for what else takes it.
 */
#ifndef MASKDM_DIFFUSION_DDIM_H
#define MASKDM_DIFFUSION_DDIM_H

#include "diffusion/method.h"

/* The row of s->eta. */
#define MDM_ETA(of, number)                                                                                          \
    MDM_OPTION(of, eta), .standard = number, .min = 0, .max = 100, .alias = "ddim_eta|ddim_sampling_eta",            \
                         .help = "share of fresh noise in each step; 0: none"

int mdm_ddim_evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out);

#endif
