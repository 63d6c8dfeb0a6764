/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A solver's method: the arithmetic of a sampler without its network. It lists when the network is asked, and gives
 * each next x as a sum of what may be looked at: the present x, what was kept at the step's start, the x0 of this
 * evaluation and of those before, the noise eps, and fresh normals. Adding one is a file with a struct
 * mdm_method_class and its options, and a row in method_list.c.
 */
#ifndef MASKDM_DIFFUSION_METHOD_H
#define MASKDM_DIFFUSION_METHOD_H

#include "backend/backend.h"
#include "diffusion/scheduler.h"
#include "diffusion/spacing.h"

/* A step, which need not end where the next begins. */
struct mdm_way {
    struct mdm_stop from, to;
};

struct mdm_method {
    const struct mdm_method_class *kind;
    const maskdm_scheduler *scheduler;
    int64_t steps;        /* S */
    struct mdm_way *way;  /* S, from noise to image */
    double start;         /* x_T is this times unit normals */
    int64_t evaluations;  /* of the network */
    int64_t restart;      /* what was before this one is not looked back at */
    int looks_back;       /* at the x0 of so many evaluations before this one, MDM_BEFORE at most */
    int keeps;            /* something in mdm_solve.start */
    int needs_trace;      /* of the image in x_T, since it divides by it */
    double clip;          /* x0 to -clip .. clip; 0: not at all */
    double threshold;     /* the share of an image's values below its limit; 0: no limit */
    double threshold_max; /* most of that limit, which is 1 at the least */
    enum mdm_eps eps; /* F where the network predicts noise, else of the clipped x0, unless options say otherwise */
    double eta;       /* ddim, euler_ancestral: share of fresh noise */
    double churn, churn_min, churn_max, churn_noise; /* euler, heun: see slope.h */
    int large_variance;                              /* ddpm: that of the step, not of its end given the image */
    int learned_variance;                            /* ddpm: between the two, as the network says */
    int64_t order, low_order_below;                  /* dpmpp, unipc */
    int sde, heun_weights, euler_at_final;           /* dpmpp */
    int bh1;                                         /* unipc */
};

/* One evaluation of the network and what becomes of it. */
struct mdm_evaluation {
    int64_t step;
    struct mdm_stop at;          /* where the network looks */
    double before_x, before_z;   /* x becomes before_x x + before_z z first, z fresh normals */
    int keeps;                   /* for later evaluations, what `kept` says */
    struct mdm_terms next, kept; /* x becomes `next` in the end */
    struct mdm_pair spread;      /* learned_variance: z counts exp(a + b v) times, v what the network says */
};

/* The row of the number of steps. */
#define MDM_STEPS(of, number)                                                                                        \
    MDM_OPTION(of, steps), .standard = number, .min = 1, .max = 100000, .unit = "steps",                             \
                           .alias = "num_steps|n_steps|sample_steps|sampling_steps|sampling_timesteps|"              \
                                    "num_sampling_steps|inference_steps|num_inference_steps|ddim_steps|"             \
                                    "timestep_respacing|nfe",                                                        \
                           .help = "steps from noise to image"

/* Rows of solvers that look back. */
#define MDM_ORDER(of, number)                                                                                        \
    MDM_OPTION(of, order), .standard = number, .min = 1, .max = 3, .alias = "solver_order",                          \
                           .help = "how many evaluations a step looks at, itself among them"
#define MDM_LOW_ORDER_BELOW(of, number)                                                                              \
    MDM_OPTION(of, low_order_below), .standard = number, .min = 0, .max = 100001, .unit = "steps",                   \
                                     .help = "with fewer steps than this the order falls at the end; 0: never"

struct mdm_method_class {
    const char *name;
    const struct mdm_option_table *options;
    int looks_back; /* as in struct mdm_method, unless its options say otherwise */
    int keeps;
    int stops_before; /* on processes that preserve variance, where nothing else is said: at the least noise, which is
                         left in the image */
    int all_noise;    /* begins with noise alone where a spacing says so */
    int strides;      /* by T div S on listed times, wherever the next one is */
    enum mdm_listing listing;
    /* Its own options, steps among them; EINVAL where the process has no such solver. */
    int (*read)(struct mdm_method *s, const maskdm_options *options);
    /* Where each step begins, if neither times nor a spacing are given; NULL: by what suits the process. */
    int (*place)(struct mdm_method *s, const maskdm_options *options);
    int64_t (*evaluations)(const struct mdm_method *s); /* NULL: one a step */
    /* EINVAL when there is no such step. */
    int (*evaluation)(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out);
};

extern const struct mdm_method_class mdm_method_ddpm, mdm_method_ddim, mdm_method_dpmpp, mdm_method_unipc,
    mdm_method_euler, mdm_method_euler_ancestral, mdm_method_heun, mdm_method_consistency;

/* The tables of the methods' options, in the order of their list, NULL past the last; and class i, which is one. */
const struct mdm_option_table *mdm_method_table_at(int i);
const struct mdm_method_class *mdm_method_class_at(int i);
/* options: a checked handle of kind "sampler". The scheduler is borrowed. Every step is judged here. */
int mdm_method_make(struct mdm_method *out, const maskdm_scheduler *s, const maskdm_options *options);
void mdm_method_free(struct mdm_method *s);
/* Its way and x_T, for a method that knows its own options (method_way.c). */
struct mdm_sampler_options;
int mdm_method_lay(struct mdm_method *s, const struct mdm_sampler_options *o, const maskdm_options *options);

/* The first evaluation of a step; behind the last one, their number. */
int64_t mdm_method_first(const struct mdm_method *s, int64_t step);
struct mdm_evaluation mdm_method_evaluation(const struct mdm_method *s, int64_t e);
/* Fresh normals that an evaluation takes, before or after the network. */
int mdm_evaluation_is_noisy(const struct mdm_evaluation *e);
/* Evaluations that take some. */
int64_t mdm_method_draws(const struct mdm_method *s);
/* Between evaluations: the x0 of the one that was becomes the last one before, and the array of the oldest that is
 * still looked at the next one's. */
void mdm_method_turn(const struct mdm_method *s, float **x0, float *before[MDM_BEFORE]);
/* Dynamic thresholding: from quantiles of images, their limits. */
void mdm_method_limits(const struct mdm_method *s, int64_t batch, double *limit);
/* All that the sum of evaluation e needs but the arrays. */
struct mdm_solve mdm_method_job(const struct mdm_method *s, const struct mdm_evaluation *e);

#endif
