/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A solver's method: the arithmetic of a sampler without its network. It lists when the network is asked, and gives
 * each next x as a sum of what may be looked at: the present x, the x at the step's start, the x0 of this evaluation
 * and of the one before, the noise eps, and fresh normals. Adding one is a file with a struct mdm_method_class and
 * its options, and a row in method_list.c.
 */
#ifndef MASKDM_DIFFUSION_METHOD_H
#define MASKDM_DIFFUSION_METHOD_H

#include "backend/backend.h"
#include "diffusion/scheduler.h"
#include "diffusion/spacing.h"

struct mdm_method {
    const struct mdm_method_class *kind;
    const maskdm_scheduler *scheduler;
    int64_t steps;                                   /* S */
    double *time;                                    /* S + 1, from noise to image */
    int64_t evaluations;                             /* of the network */
    int64_t restart;                                 /* what was before this one is not looked back at */
    int clip;                                        /* x0 to -1 .. 1 */
    double eta;                                      /* ddim: share of fresh noise */
    double churn, churn_min, churn_max, churn_noise; /* euler, heun: see slope.h */
};

/* One evaluation of the network and what becomes of it. */
struct mdm_evaluation {
    int64_t step;
    double time;               /* at which the network looks */
    double before_x, before_z; /* x becomes before_x x + before_z z first, z fresh normals */
    int starts;                /* x is then the start of a step, which later evaluations look at */
    struct mdm_terms next;     /* and in the end this */
};

/* The row of the number of steps, which most solvers have. */
#define MDM_STEPS(of, number)                                                                                        \
    MDM_OPTION(of, steps), .standard = number, .min = 1, .max = 100000, .unit = "steps",                             \
                           .alias = "num_steps|n_steps|sample_steps|sampling_steps|sampling_timesteps|"              \
                                    "num_sampling_steps|inference_steps|num_inference_steps|ddim_steps|"             \
                                    "timestep_respacing|nfe",                                                        \
                           .help = "steps from noise to image"

struct mdm_method_class {
    const char *name;
    const struct mdm_option_table *options;
    int looks_back;   /* at the x0 of the evaluation before */
    int begins;       /* at the start of its step */
    int stops_before; /* on the discrete process: at time 0, whose noise is left in the image */
    /* Its own options, steps among them; EINVAL where the process has no such solver. */
    int (*read)(struct mdm_method *s, const maskdm_options *options);
    int64_t (*evaluations)(const struct mdm_method *s); /* NULL: one a step */
    /* EINVAL when there is no such step. */
    int (*evaluation)(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out);
};

extern const struct mdm_method_class mdm_method_ddpm, mdm_method_ddim, mdm_method_dpmpp, mdm_method_euler,
    mdm_method_heun;

/* The tables of the methods' options, in the order of their list, NULL past the last; and class i, which is one. */
const struct mdm_option_table *mdm_method_table_at(int i);
const struct mdm_method_class *mdm_method_class_at(int i);
/* options: a checked handle of kind "sampler". The scheduler is borrowed. Every step is judged here. */
int mdm_method_make(struct mdm_method *out, const maskdm_scheduler *s, const maskdm_options *options);
void mdm_method_free(struct mdm_method *s);

/* The first evaluation of a step; behind the last one, their number. */
int64_t mdm_method_first(const struct mdm_method *s, int64_t step);
struct mdm_evaluation mdm_method_evaluation(const struct mdm_method *s, int64_t e);
/* Fresh normals that an evaluation takes, before or after the network. */
int mdm_evaluation_is_noisy(const struct mdm_evaluation *e);
/* Evaluations that take some. */
int64_t mdm_method_draws(const struct mdm_method *s);
/* x_T is this times unit normals. */
double mdm_method_start(const struct mdm_method *s);
/* All that the sum of evaluation e needs but the arrays. */
struct mdm_solve mdm_method_job(const struct mdm_method *s, const struct mdm_evaluation *e);

#endif
