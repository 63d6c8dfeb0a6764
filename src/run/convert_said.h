/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a checkpoint says in words beside its weights: heads, prediction, schedule, of which no shape tells. None of
 * it may be lost, or contradict what a caller says, in silence.
 */
#ifndef MASKDM_RUN_CONVERT_SAID_H
#define MASKDM_RUN_CONVERT_SAID_H

#include "base/log.h"
#include "model/model.h"
#include "tensorfile/tensorfile.h"

/* Complete options of kind "convert" by what another program's names mean, wherever they stand ("args.num_heads").
 * MASKDM_EINVAL where the caller gave something else, MASKDM_EFORMAT where the file says two things, or what has no
 * meaning here. */
int mdm_convert_follow(maskdm_options *options, const struct mdm_tensorfile *s, const struct mdm_log *log);
/* Whether the file is a checkpoint of ours, which says all of its model. */
int mdm_convert_is_own(const struct mdm_tensorfile *s);
/* The model without its weights, of such a file; MASKDM_EINVAL where a caller's options say something else. */
int mdm_convert_own(maskdm_model **model, maskdm_device *device, struct mdm_tensorfile *s,
                    const maskdm_options *options);

#endif
