/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the checkpoint reader share.
 */
#ifndef MASKDM_TENSORFILE_TORCH_PRIVATE_H
#define MASKDM_TENSORFILE_TORCH_PRIVATE_H

#include "tensorfile/pickle.h"
#include "tensorfile/torch.h"
#include "tensorfile/zip.h"

enum { MDM_TORCH_DEPTH = 32 };

struct mdm_torch {
    struct mdm_tensorfile *s;
    struct mdm_zip zip;
    struct mdm_pickle pickle;
    char root[MDM_TENSORFILE_NAME + 1];             /* folder of the archive that everything is in, with its slash */
    char path[MDM_TENSORFILE_NAME + 1];             /* of the value at hand */
    uint64_t visits, text, visit_limit, text_limit; /* what sharing could otherwise multiply */
};

/* ---- torch_walk.c: every value of the pickle, by its path ---- */
int mdm_torch_walk(struct mdm_torch *t);

/* ---- torch_tensor.c ---- */
/* Count bytes of text that are kept. */
int mdm_torch_keep(struct mdm_torch *t, size_t bytes);
/* The tensor at t->path. */
int mdm_torch_tensor(struct mdm_torch *t, const struct mdm_pickle_node *tensor);

#endif
