/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A run of several processes. All of them prepare it and make its steps; rank 0 alone has the folder, and all that is
 * told, drawn or measured between two steps is its own. What it fails of there it says at the next meeting of all,
 * where the others wait for it: that of a step, or that of the end.
 */
#ifndef MASKDM_RUN_RANKS_H
#define MASKDM_RUN_RANKS_H

#include "run/run.h"

/* Take the communicator of the control. */
void mdm_run_join(struct mdm_run *run);
void mdm_run_part(struct mdm_run *run);
/* Whether the folder is this process's. */
int mdm_run_writes(const struct mdm_run *run);
/* Where nobody says how many parts a step has: as many as there are ranks, or as the run was begun with. */
int mdm_run_settle_parts(struct mdm_run *run);
/* Collective, behind the preparation, which came out as `status`: whether all are prepared for the same run. */
int mdm_run_compare_ranks(struct mdm_run *run, int status);
/* Collective: `status`, or what another rank has failed of. */
int mdm_run_meet(struct mdm_run *run, int status, const char *place);

#endif
