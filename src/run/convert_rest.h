/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of a checkpoint goes into the model, and what does not: counted, named, and told in a few lines.
 */
#ifndef MASKDM_RUN_CONVERT_REST_H
#define MASKDM_RUN_CONVERT_REST_H

#include "base/log.h"
#include "model/model.h"
#include "run/convert_find.h"

enum mdm_mark { MDM_MARK_NONE, MDM_MARK_USED, MDM_MARK_COPY };

/* One mark for each tensor, in fresh memory (mdm_free): USED, a weight at a place that is meant; COPY, one at
 * another place. */
int mdm_convert_mark(unsigned char **mark, const struct mdm_tensorfile *s, const struct mdm_places *p,
                     const struct mdm_params *layout);
/* What is not marked USED. Optimizer state, schedules and further copies of the weights are news; anything else is a
 * warning. */
void mdm_convert_tell_rest(const struct mdm_tensorfile *s, const struct mdm_places *p, const unsigned char *mark,
                           const struct mdm_log *log);

/* The same behind a line that says which weights were taken for what. */
void mdm_convert_tell_weights(const struct mdm_tensorfile *s, const struct mdm_places *p, const unsigned char *mark,
                              const struct mdm_log *log);

#endif
