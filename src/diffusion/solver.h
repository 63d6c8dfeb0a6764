/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Solvers of the backward process: the arithmetic of a sampler without its network. A solver says which times it
 * visits and, per step, five factors; the step itself is one loop that all share (solver.c):
 *
 *     x0' = clip(predicted x0)      next x = x0 x0' + eps eps' + x x_t + noise z + before x0''
 *
 * with eps' the predicted noise, z fresh normals and x0'' the x0' of the step before. Adding one is a file, a row in
 * solvers[], its options.
 */
#ifndef MASKDM_DIFFUSION_SOLVER_H
#define MASKDM_DIFFUSION_SOLVER_H

#include "diffusion/scheduler.h"

/* The options of kind "sampler" that concern the arithmetic, resolved. */
struct mdm_solver {
    const struct mdm_solver_class *solver;
    int64_t steps;
    double eta;
    int logsnr; /* steps of equal log signal-to-noise ratio */
    int clip;
};

struct mdm_factors {
    double x0, eps, x, noise, before;
};

/* The times of a step: from `time` in 0 .. T-1 to `next` below it, -1 being the image; `before` is where the step
 * before came from, -1 where there was none. */
struct mdm_stride {
    double before, time, next;
};

struct mdm_solver_class {
    const char *name;
    /* The number S of steps, or a negative status when the options do not fit the schedule. */
    int64_t (*steps)(const maskdm_scheduler *s, const struct mdm_solver *how);
    /* Time i of the S + 1, from noise to image. */
    double (*time)(const maskdm_scheduler *s, const struct mdm_solver *how, int64_t i);
    /* A negative status when the solver has no such step. */
    int (*factors)(const maskdm_scheduler *s, const struct mdm_solver *how, const struct mdm_stride *at,
                   struct mdm_factors *out);
};

extern const struct mdm_solver_class mdm_solver_ddpm, mdm_solver_ddim, mdm_solver_dpmpp;

/* One step in place on x[batch,n]; see maskdm_scheduler_step(). */
struct mdm_move {
    struct mdm_stride at;
    int64_t batch, n;
    float *x;
    const float *prediction;
    const float *noise;     /* may be NULL where its factor is 0 */
    const float *x0_before; /* of the step before; NULL: there was none */
    float *x0;              /* may be NULL */
};

/* options: a checked handle that has the sampler's table. */
int mdm_solver_make(struct mdm_solver *out, const maskdm_options *options);
int mdm_solver_step(const maskdm_scheduler *s, const struct mdm_solver *how, const struct mdm_move *m);
/* For solvers that visit whole times alone: both times as indices, or EINVAL. */
int mdm_solver_whole(const maskdm_scheduler *s, const struct mdm_stride *at, int64_t *t, int64_t *next);
/* Step i of the S. */
struct mdm_stride mdm_solver_stride(const maskdm_scheduler *s, const struct mdm_solver *how, int64_t i);
/* Whether some step uses noise. */
int mdm_solver_is_noisy(const maskdm_scheduler *s, const struct mdm_solver *how);

#endif
