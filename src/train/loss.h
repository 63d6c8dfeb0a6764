/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The built-in losses by their names.
 */
#ifndef MASKDM_TRAIN_LOSS_H
#define MASKDM_TRAIN_LOSS_H

#include "backend/backend.h"

/* Of enum mdm_loss_kind i, "l2" and so on; NULL past the last. */
const char *mdm_loss_name(int i);
/* ENOTFOUND, with all names, for another. */
int mdm_loss_find(enum mdm_loss_kind *out, const char *name);
/* Where its error begins to count linearly: `delta`, or the kind's own for 0. EINVAL for one that the kind has not,
 * or that is not above 0. `said`: how the option is called. */
int mdm_loss_delta(double *out, enum mdm_loss_kind kind, double delta, const char *said);

#endif
