/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which times a solver visits: S + 1 of them, from the most noise to the image.
 */
#ifndef MASKDM_DIFFUSION_SPACING_H
#define MASKDM_DIFFUSION_SPACING_H

#include "diffusion/process.h"

/* What is divided, and where it ends: at the image, or, for a solver that stops before it, at the process's first
 * time. */
struct mdm_span {
    const struct mdm_process *process;
    int64_t steps;
    double end;
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
};

/* Choice i of the option `spacing`: 0 is "auto", what suits process and solver; NULL past the last. */
const char *mdm_spacing_name(int i);
/* Choice i, or for 0 the one of this name; EINVAL where the process knows no such times. `said`: how the option is
 * called. */
int mdm_spacing_choose(const struct mdm_spacing **out, const struct mdm_process *p, unsigned choice, const char *name,
                       const char *said);

#endif
