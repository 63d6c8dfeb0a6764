/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A diffusion process: how much of an image and how much noise there is at every time, x_t = signal x0 + noise eps.
 * What a network, a loss and a solver need of it is told in such levels, so that none of them knows which process it
 * serves. Adding one is a file with a struct mdm_process_class, its options, and a row in process_list.c.
 */
#ifndef MASKDM_DIFFUSION_PROCESS_H
#define MASKDM_DIFFUSION_PROCESS_H

#include "base/rng.h"
#include "option/option.h"

struct mdm_level {
    double signal, noise;
};

/* Where the probability flow is followed: y = x / scale has the slope dy / d(at) = (y - x0) / at. For most processes
 * `at` is the noise-to-signal ratio and scale the signal; on a straight path x itself is followed over time. */
struct mdm_path {
    double scale, at;
};

struct mdm_process {
    const struct mdm_process_class *kind;
    double first, last; /* times of least and of most noise at which a network is asked */
    double image;       /* the time that stands for the finished image, level 1 and 0 */
    double sigma_data;  /* deviation of the data that the network is scaled for */
    double noise_scale; /* deviation of the noise at the far end of a straight path */
    double shift;       /* of that path's times towards noise */
    double draw_mean, draw_deviation; /* of normal numbers that training's times come from, unless others are said */
    int data_last;      /* the network's time runs from noise to data, and so does the velocity */
};

struct mdm_process_class {
    const char *name;
    const struct mdm_option_table *options; /* its own */
    /* What a network may predict, "noise|x0|v"; the first is meant where nothing is said. */
    const char *predictions;
    int preserves;       /* signal^2 + noise^2 = 1: samplers begin with plain normals */
    const char *spacing; /* of a solver's times where nothing is said */
    /* Of options with its table, resolved; it may complete them, so that a file that keeps them stands alone. */
    int (*create)(struct mdm_process **out, maskdm_options *options);
    void (*release)(struct mdm_process *p); /* NULL: it is one block of memory */
    struct mdm_level (*at)(const struct mdm_process *p, double time);
    /* ln(noise / signal), and the time at which it has a value. A process of whole times answers the nearer end for
     * what it never reaches. */
    double (*ratio)(const struct mdm_process *p, double time);
    double (*time_of)(const struct mdm_process *p, double ratio);
    /* Of a straight one, whose path is followed over time; NULL: x / signal over noise / signal. */
    struct mdm_path (*path)(const struct mdm_process *p, double time);
    /* How much signal and noise grow in a unit of time, at a level; NULL where time is none that a path has. */
    struct mdm_level (*slope)(const struct mdm_process *p, struct mdm_level at);
    /* For training: the time at a share, 0 .. 1, of the way to the most noise, which the process goes evenly; how its
     * times are drawn where nothing is said; and a share at random, NULL: any number in 0 .. 1. */
    double (*time_at)(const struct mdm_process *p, double share);
    const char *drawn;
    double (*uniform)(const struct mdm_process *p, struct mdm_rng *stream);
    /* What the network is told of the time, and by what x_t is multiplied for it; NULL: by 1. */
    double (*network_time)(const struct mdm_process *p, double time);
    double (*input_scale)(const struct mdm_process *p, double time);
};

extern const struct mdm_process_class mdm_process_discrete, mdm_process_vp, mdm_process_edm, mdm_process_ve,
    mdm_process_flow;

static inline int mdm_process_is_straight(const struct mdm_process *p)
{
    return p->kind->path != NULL;
}

/* Class i, or NULL behind the last. */
const struct mdm_process_class *mdm_process_class_at(int i);
/* The tables of their options, in the same order. */
const struct mdm_option_table *mdm_process_table_at(int i);
void mdm_process_release(struct mdm_process **p);

/* EINVAL, with both ends, for a time outside first .. last. */
int mdm_process_check(const struct mdm_process *p, double time);
/* Of any time in image .. last; NaN is none. */
struct mdm_level mdm_process_at(const struct mdm_process *p, double time);
double mdm_process_input_scale(const struct mdm_process *p, double time);
/* A time in 0 .. 1 of a straight path shifted towards noise: s t / (1 + (s - 1) t). */
double mdm_process_shift(const struct mdm_process *p, double time);
/* The time in first .. last whose ln(noise / signal) is nearest to `ratio`. */
double mdm_process_time_of(const struct mdm_process *p, double ratio);
/* How fast signal and noise turn into each other: signal noise' - signal' noise. Of processes with a slope. */
double mdm_process_turn(const struct mdm_process *p, struct mdm_level at);
/* At a time and the level that is followed there, which need not be the time's own. */
struct mdm_path mdm_process_path(const struct mdm_process *p, double time, struct mdm_level at);

#endif
