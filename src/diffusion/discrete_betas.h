/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The betas of the discrete process: a kind is a formula, or numbers that the host or a file has.
 */
#ifndef MASKDM_DIFFUSION_DISCRETE_BETAS_H
#define MASKDM_DIFFUSION_DISCRETE_BETAS_H

#include <stdint.h>

enum { MDM_MOST_BETAS = 100000 };

struct mdm_betas {
    unsigned kind; /* place in the list of schedules */
    int64_t timesteps;
    double shift_size; /* pixels: d of shifted_cosine */
    double start, end; /* first and last of kinds that have ends; 0: the kind's own */
    double sigmoid_start, sigmoid_end, sigmoid_tau;
    const double *given; /* `timesteps` of them, of kind given */
    int zero_terminal_snr;
};

/* Of kind i, "linear" and so on; NULL past the last. */
const char *mdm_betas_name(int i);
/* EINVAL where the kind cannot have so few, or one of them is no beta. Only the last may be 1. */
int mdm_betas_make(double *beta, const struct mdm_betas *how);

#endif
