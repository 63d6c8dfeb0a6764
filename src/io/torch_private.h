/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the checkpoint reader share.
 */
#ifndef MASKDM_IO_TORCH_PRIVATE_H
#define MASKDM_IO_TORCH_PRIVATE_H

#include "io/pickle.h"
#include "io/torch.h"
#include "io/zip.h"

enum { MASKDM_TORCH_DEPTH = 32 };

struct maskdm_torch {
    struct maskdm_st *s;
    struct maskdm_zip zip;
    struct maskdm_pickle pickle;
    char root[MASKDM_ST_NAME + 1];                  /* folder of the archive that everything is in, with its slash */
    char path[MASKDM_ST_NAME + 1];                  /* of the value at hand */
    uint64_t visits, text, visit_limit, text_limit; /* what sharing could otherwise multiply */
};

/* ---- torch_walk.c: every value of the pickle, by its path ---- */
int maskdm_torch_walk(struct maskdm_torch *t);
/* Count bytes of text that are kept. */
int maskdm_torch_keep(struct maskdm_torch *t, size_t bytes);

/* ---- torch_tensor.c: the tensor at t->path ---- */
int maskdm_torch_tensor(struct maskdm_torch *t, const struct maskdm_pickle_node *tensor);

#endif
