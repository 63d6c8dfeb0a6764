/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The solver handle: a method on memory of the host, step by step, with what it looks back at.
 */
#ifndef MASKDM_DIFFUSION_SOLVER_H
#define MASKDM_DIFFUSION_SOLVER_H

#include <maskdm/solver.h>

#include "diffusion/guidance.h"
#include "diffusion/method.h"

struct maskdm_solver {
    struct mdm_handle handle;
    maskdm_scheduler *scheduler;
    struct mdm_method method;
    struct mdm_guidance guidance;
    int64_t done;                           /* evaluations */
    int64_t batch, values;                  /* images; batch x n; 0: not begun */
    double *limit;                          /* [batch], of images whose values are limited */
    int ready;                              /* the network was given its input */
    const float *variance;                  /* what it says of it, the host's; NULL: nothing yet */
    float *start, *x0, *before[MDM_BEFORE]; /* `values` each, as far as the method looks at them */
};

int mdm_solver_create(maskdm_solver **out, maskdm_scheduler *scheduler, const maskdm_options *options);
void mdm_solver_drop(maskdm_solver **s);
int mdm_solver_begin(maskdm_solver *s, int64_t batch, int64_t n, float *x);
int mdm_solver_takes_noise(const maskdm_solver *s);
int mdm_solver_input(maskdm_solver *s, float *x, const float *noise, float *input, double *time);
/* Of the coming evaluation; 1 where none comes. */
double mdm_solver_guidance(const maskdm_solver *s);
int mdm_solver_guide(const maskdm_solver *s, int64_t channels, float *prediction, const float *weaker);
int mdm_solver_set_variance(maskdm_solver *s, const float *says);
int mdm_solver_step(maskdm_solver *s, float *x, const float *prediction, const float *noise, float *x0);

#endif
