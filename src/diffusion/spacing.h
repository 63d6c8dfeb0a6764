/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which times a solver visits: S + 1 stops, from the most noise to the image.
 */
#ifndef MASKDM_DIFFUSION_SPACING_H
#define MASKDM_DIFFUSION_SPACING_H

#include "diffusion/process.h"

/* Where a solver stands: the time at which the network looks, and the level with which the solver counts. That is the
 * process's own at that time, unless a spacing has it from elsewhere. */
struct mdm_stop {
    double time;
    struct mdm_level level;
    double ratio; /* ln(noise / signal) of the level; -INFINITY: the image */
};

/* How a method takes times that are listed (discrete_listed.h). */
enum mdm_listing {
    MDM_LISTING_WHOLE, /* S whole times */
    MDM_LISTING_REAL,  /* S times, which need not be whole */
    MDM_LISTING_SHORT  /* S + 1 whole times without the least, but for `trailing` */
};

/* What the network is told of a time that is not whole, of the discrete process. */
enum mdm_telling { MDM_TELLING_EXACT, MDM_TELLING_NEAREST, MDM_TELLING_BELOW };

/* What is divided, and where it ends: at the image, or, for a solver that stops before it, at the process's first
 * time. */
struct mdm_span {
    const struct mdm_process *process;
    int64_t steps;
    double end;
    enum mdm_listing listing;
    int64_t offset; /* of leading times */
    /* Listed times between whose levels Karras' lie; NULL: all the process's. */
    const struct mdm_spacing *ends;
};

/* Where a spacing has a meaning. */
enum mdm_spacing_of {
    MDM_SPACING_ANY,
    MDM_SPACING_WHOLE,    /* the discrete process */
    MDM_SPACING_STRAIGHT, /* processes with a straight path */
    MDM_SPACING_RATIO     /* those whose noise-to-signal ratio is finite at both ends: all others */
};

struct mdm_spacing {
    const char *name;
    enum mdm_spacing_of of;
    /* Time i of a span, i below steps. */
    double (*time)(const struct mdm_span *span, int64_t i);
    struct mdm_level (*level)(const struct mdm_span *span, int64_t i); /* NULL: the process's at that time */
    int listed;
    int all_noise; /* listed for methods that begin with noise alone, x_T = noise z, even of a process that preserves
                      variance */
};

/* Choice i of the option `spacing`: 0 is "auto", what suits process and solver; NULL past the last. */
const char *mdm_spacing_name(int i);
const char *mdm_spacing_listed_name(int i); /* the same of `karras_ends`, which are the listed ones */
/* Choice i, or for 0 the one of this name; EINVAL where the process knows no such times. `said`: how the option is
 * called. */
int mdm_spacing_choose(const struct mdm_spacing **out, const struct mdm_process *p, unsigned choice, const char *name,
                       const char *said);
/* EINVAL where the process has not so many times, or none so late. */
int mdm_spacing_check(const struct mdm_spacing *s, const struct mdm_span *span);

/* Any time in image .. last as a stop. */
struct mdm_stop mdm_stop_at(const struct mdm_process *p, double time);
/* Stop i of a span, i below steps. */
struct mdm_stop mdm_spacing_stop(const struct mdm_spacing *s, const struct mdm_span *span, int64_t i);

#endif
