/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters that stay as they are, by their names.
 */
#ifndef MASKDM_TRAIN_FREEZE_H
#define MASKDM_TRAIN_FREEZE_H

#include "model/model.h"

/* Freeze those of a layout that a list of patterns names; those behind a '!' are trained after all, and the last
 * pattern that matches counts. What the network itself keeps fixed stays so. MASKDM_EINVAL, in the words of `said`,
 * for a pattern without a match and where nothing is left to train; the layout is then as it was. */
int mdm_freeze(struct mdm_params *layout, const char *patterns, const char *said);
/* A view of the model without blocks yet, in which what the trainer's options say is frozen. */
int mdm_freeze_view(maskdm_model **out, const maskdm_model *model, const maskdm_options *trainer);
/* Of a layout: how many parameters are trained, and their elements. */
int mdm_freeze_trained(const struct mdm_params *layout, int64_t *elements);

#endif
