/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A solver's case in the library's options.
 */
#ifndef TESTS_REFERENCE_SOLVER_SETTINGS_H
#define TESTS_REFERENCE_SOLVER_SETTINGS_H

#include "case.h"

struct solver_settings {
    char scheduler[512], sampler[512];
    int told;     /* `input.time` is what the network is told, not the process's time */
    int by_ratio; /* the program's x is the library's over its signal */
};

/* 0, or -1 with c->skipped saying what is not built. */
int solver_settings_read(struct reference_case *c, struct solver_settings *s);
/* The case's solver with further options of kind "sampler", or NULL (solver.c). */
maskdm_solver *solver_make(struct reference_case *c, struct solver_settings *s, const char *more);

#endif
