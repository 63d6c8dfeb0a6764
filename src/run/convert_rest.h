/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of a checkpoint goes into the model, and what does not: counted, named, and told in a few lines.
 */
#ifndef MASKDM_RUN_CONVERT_REST_H
#define MASKDM_RUN_CONVERT_REST_H

#include "model/model.h"
#include "run/convert_find.h"
#include "util/log.h"

enum maskdm_mark { MASKDM_MARK_NONE, MASKDM_MARK_USED, MASKDM_MARK_COPY };

/* One mark for each tensor, in fresh memory (maskdm_free): USED, a weight at a place that is meant; COPY, one at
 * another place. */
int maskdm_convert_mark(unsigned char **mark, const struct maskdm_st *s, const struct maskdm_places *p,
                        const struct maskdm_params *layout);
/* What is not marked USED. Optimizer state, schedules and further copies of the weights are news; anything else is a
 * warning. */
void maskdm_convert_tell_rest(const struct maskdm_st *s, const struct maskdm_places *p, const unsigned char *mark,
                              const struct maskdm_log *log);

#endif
