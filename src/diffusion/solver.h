/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Solvers of the backward process: the arithmetic of a sampler without its network. A solver says which times it
 * visits and, per step, four factors; the step itself is one loop that all share (solver.c):
 *
 *     x0' = clip(predicted x0)      next x = x0 x0' + eps eps' + x x_t + noise z
 *
 * with eps' the predicted noise and z fresh normals. Adding one is a file, a row in solvers[], its options.
 */
#ifndef MASKDM_DIFFUSION_SOLVER_H
#define MASKDM_DIFFUSION_SOLVER_H

#include "diffusion/scheduler.h"

/* The options of kind "sampler" that concern the arithmetic, resolved. */
struct maskdm_solving {
    const struct maskdm_solver *solver;
    int64_t steps;
    double eta;
    int clip;
};

struct maskdm_factors {
    double x0, eps, x, noise;
};

struct maskdm_solver {
    const char *name;
    /* The number S of steps, or a negative status when the options do not fit the schedule. */
    int64_t (*steps)(const maskdm_scheduler *s, const struct maskdm_solving *how);
    /* Time i of the S + 1, from noise to image; the last is -1. */
    int64_t (*time)(const maskdm_scheduler *s, const struct maskdm_solving *how, int64_t i);
    /* From t in 0 .. T-1 to next in -1 .. t-1, or a negative status when the solver has no such step. */
    int (*factors)(const maskdm_scheduler *s, const struct maskdm_solving *how, int64_t t, int64_t next,
                   struct maskdm_factors *out);
};

extern const struct maskdm_solver maskdm_solver_ddpm, maskdm_solver_ddim;

/* One step in place on x[batch,n]; see maskdm_scheduler_step(). */
struct maskdm_move {
    double time, next; /* whole numbers */
    int64_t batch, n;
    float *x;
    const float *prediction;
    const float *noise; /* may be NULL where its factor is 0 */
    float *x0;          /* may be NULL */
};

/* options: a checked handle that has the sampler's table. */
int maskdm_solving_make(struct maskdm_solving *out, const maskdm_options *options);
int maskdm_solving_step(const maskdm_scheduler *s, const struct maskdm_solving *how, const struct maskdm_move *m);
/* Whether some step uses noise. */
int maskdm_solving_is_noisy(const maskdm_scheduler *s, const struct maskdm_solving *how);

#endif
