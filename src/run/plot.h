/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See maskdm_plot().
 */
#ifndef MASKDM_RUN_PLOT_H
#define MASKDM_RUN_PLOT_H

#include "option/option.h"
#include "os/file.h"
#include "run/history.h"

enum { MDM_PLOT_NAME = 64 }; /* bytes of a run's name with its NUL */

int mdm_plot(const char *const *runs, int64_t count, const maskdm_options *options);

/* ---- plot_table.c ---- */
int mdm_plot_table(const struct mdm_history *h, char (*name)[MDM_PLOT_NAME], int64_t runs, struct mdm_writer **place);

#endif
