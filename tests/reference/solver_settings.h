/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A solver's case in the library's options.
 */
#ifndef TESTS_REFERENCE_SOLVER_SETTINGS_H
#define TESTS_REFERENCE_SOLVER_SETTINGS_H

#include "case.h"

struct solver_settings {
    char scheduler[512], sampler[8192]; /* the latter with lists of times */
    int told;                           /* `input.time` is what the network is told, not the process's time */
    int by_ratio;                       /* the program's x is the library's over its signal */
    int given;                          /* the case lists its times */
};

/* 0, or -1 with c->skipped saying what is not built. */
int solver_settings_read(struct reference_case *c, struct solver_settings *s);
/* ---- lists of times (solver_times.c) ---- */
/* Those of EDM from another rho than the library's 7: 0, or -1 with c->skipped. */
int solver_times_edm(struct reference_case *c, struct solver_settings *s);
/* Those that the case itself gives, and then `end`: 1 where it gives some, 0, or -1 with c->skipped. */
int solver_times_given(struct reference_case *c, struct solver_settings *s, double end);
/* Those of flow matching by settings that no spacing has: as above. */
int solver_times_flow(struct reference_case *c, struct solver_settings *s, double shift, int dynamic);

/* The case's solver with further options of kind "sampler", or NULL (solver.c). */
maskdm_solver *solver_make(struct reference_case *c, struct solver_settings *s, const char *more);

#endif
