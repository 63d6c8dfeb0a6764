/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Betas from a text file: a number a line; empty lines, and those that begin with #, are passed over.
 */
#ifndef MASKDM_DIFFUSION_DISCRETE_BETAS_FILE_H
#define MASKDM_DIFFUSION_DISCRETE_BETAS_FILE_H

#include "option/option.h"

/* In fresh memory (mdm_free). MASKDM_EFORMAT with the line for what is no number, and for none or too many; whether
 * they make a schedule is judged where one is made. */
int mdm_betas_read(double **beta, int64_t *count, const char *path);
/* The same of a text in memory, n bytes with a NUL behind them. */
int mdm_betas_parse(double **beta, int64_t *count, const char *text, size_t n);
/* What options with schedule given keep are numbers, not where they came from: `given_betas`, and no `betas_file`. */
int mdm_betas_keep(maskdm_options *options, const double *beta, int64_t count);

#endif
