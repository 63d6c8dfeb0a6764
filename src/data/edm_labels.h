/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dataset.json, which the tools of StyleGAN and EDM put beside images: {"labels": [["00000/img00000000.png", 6],
 * ...]}, or null where there are none.
 */
#ifndef MASKDM_DATA_EDM_LABELS_H
#define MASKDM_DATA_EDM_LABELS_H

#include "data/found.h"

int mdm_edm_labels_is(const char *name);
/* The labels of the entry at hand, f->name, by whole names; `read` gives all of its `size` bytes. A file without the
 * member says nothing. */
int mdm_edm_labels_take(struct mdm_found *f, uint64_t size, int (*read)(void *user, void *out, size_t n),
                          void *user);

#endif
