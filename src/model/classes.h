/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose place classes take where a model becomes one of others.
 */
#ifndef MASKDM_MODEL_CLASSES_H
#define MASKDM_MODEL_CLASSES_H

#include "model/labels.h"

/* from[made]: for each class the one of `taken` that it goes on from. One of the same name; else that of its own
 * number, where no name claims it; else -1. */
int mdm_classes_map(int64_t *from, const struct mdm_labels *now, int64_t made, const struct mdm_labels *before,
                    int64_t taken);
/* Names for `made` classes that begin with `first` and go on, as far as `before` does, with its own of the same
 * number, or where `first` has that one, with one that it has not. Those of `first` that are too many are left out.
 */
int mdm_classes_names(struct mdm_labels *out, const struct mdm_labels *first, int64_t made,
                      const struct mdm_labels *before);

#endif
