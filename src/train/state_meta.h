/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a training state says of the options that it was made under.
 */
#ifndef MASKDM_TRAIN_STATE_META_H
#define MASKDM_TRAIN_STATE_META_H

#include "train/trainer.h"

struct mdm_tensorfile;
struct mdm_safetensors_writer;

int mdm_state_write_meta(struct mdm_safetensors_writer *w, const maskdm_trainer *tr);
/* MASKDM_EINVAL with both values of the first difference, those apart that may differ: names of options of the
 * optimizer and its average, NULL behind the last; or NULL. */
int mdm_state_compare(struct mdm_tensorfile *s, const maskdm_trainer *tr, const char *const *may_differ);
/* What the host had set when the state was saved, but the rate where that may differ: then it is the optimizer's. In
 * memory that the caller frees. */
int mdm_state_read_host(struct mdm_host_rules *rules, const struct mdm_tensorfile *s, const maskdm_optimizer *o,
                        const char *const *may_differ);
/* MASKDM_ENOTFOUND for one that neither has. */
int mdm_state_check_names(const maskdm_optimizer *o, const char *const *may_differ);

#endif
