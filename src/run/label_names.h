/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Labels as people give them: by number, or by the name that a model has for them.
 */
#ifndef MASKDM_RUN_LABEL_NAMES_H
#define MASKDM_RUN_LABEL_NAMES_H

#include "base/log.h"
#include "data/scan.h"
#include "model/model.h"
#include "option/option.h"

/* The number of the label whose name these n bytes are, -1: none. */
int64_t mdm_label_names_find(const struct mdm_labels *l, const char *name, size_t n);
/* One label for each of `count` images, those of option "label" in turn: names, or numbers from -1 (none), with
 * commas between. *out stays NULL where none is given. A name that is a number is taken as the name, and said. */
int mdm_label_names_read(int32_t **out, int64_t count, const maskdm_options *options, const maskdm_model *model,
                         const struct mdm_log *log);
/* Number the labels of files as `names` are in place of their folders' order, where both have names. MASKDM_EINVAL
 * for one that is not among them; `what` are the files, `whose` the names, in words. */
int mdm_label_names_match(struct mdm_scan *files, const struct mdm_labels *names, const char *what,
                          const char *whose);

#endif
