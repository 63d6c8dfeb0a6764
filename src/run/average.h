/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The job that makes an average of a run's snapshots.
 */
#ifndef MASKDM_RUN_AVERAGE_H
#define MASKDM_RUN_AVERAGE_H

#include "train/average.h"

/* options: kind "average". */
int mdm_average_run(const maskdm_options *options, maskdm_control *control);
/* The step in the name of a snapshot's file; -1 for other names. */
int64_t mdm_snapshot_step(const char *name);

#endif
