/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pickles of protocol 2, of what checkpoints are made of: dictionaries, lists, numbers, text and tensors. A value
 * stands behind its key where it is in a dictionary. Failures stay with the text.
 */
#ifndef MASKDM_TENSORFILE_PICKLE_WRITE_H
#define MASKDM_TENSORFILE_PICKLE_WRITE_H

#include "text/text.h"

#include <stdint.h>

void mdm_pickle_begin(struct mdm_text *t);
void mdm_pickle_end(struct mdm_text *t);

void mdm_pickle_open_dict(struct mdm_text *t);
void mdm_pickle_close_dict(struct mdm_text *t);
void mdm_pickle_open_list(struct mdm_text *t);
void mdm_pickle_close_list(struct mdm_text *t);
void mdm_pickle_text(struct mdm_text *t, const char *s); /* UTF-8 */
void mdm_pickle_int(struct mdm_text *t, int64_t x);
void mdm_pickle_real(struct mdm_text *t, double x);
void mdm_pickle_pair(struct mdm_text *t, double a, double b);
void mdm_pickle_bool(struct mdm_text *t, int x);
void mdm_pickle_none(struct mdm_text *t);
/* Row-major, the whole of the storage `key`. type: "Float" of torch.FloatStorage. */
void mdm_pickle_tensor(struct mdm_text *t, const char *type, const char *key, int64_t elements, const int64_t *shape,
                       int rank);

#endif
