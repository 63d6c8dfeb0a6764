/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the pickle reader share: nodes, stack and memo, the table of opcodes and that of names.
 */
#ifndef MASKDM_IO_PICKLE_PRIVATE_H
#define MASKDM_IO_PICKLE_PRIVATE_H

#include "io/pickle.h"

enum {
    MASKDM_PICKLE_OPCODES = 4 << 20,
    MASKDM_PICKLE_STACK = 65536,
    MASKDM_PICKLE_MEMO = 1 << 20,
    MASKDM_PICKLE_KEY = 1024 /* bytes of a dictionary's key, of which a small file may hold one many times */
};

/* ---- pickle.c ---- */
/* The next n bytes, or NULL with the failure recorded. */
const unsigned char *maskdm_pickle_take(struct maskdm_pickle *p, uint64_t n);
int maskdm_pickle_push(struct maskdm_pickle *p, uint32_t node);
int maskdm_pickle_push_new(struct maskdm_pickle *p, struct maskdm_pickle_node node);
int maskdm_pickle_pop(struct maskdm_pickle *p, uint32_t *node); /* anything but a MARK */
/* What lies above the topmost MARK: its place on the stack, and how many. */
int maskdm_pickle_find_mark(struct maskdm_pickle *p, size_t *first, size_t *count);
int maskdm_pickle_append(struct maskdm_pickle *p, uint32_t container, uint32_t value);
int maskdm_pickle_put(struct maskdm_pickle *p, uint64_t index); /* the top of the stack into the memo */
int maskdm_pickle_get(struct maskdm_pickle *p, uint64_t index);

/* ---- pickle_code.c ---- */
typedef int maskdm_pickle_code(struct maskdm_pickle *p, unsigned code);
maskdm_pickle_code *maskdm_pickle_code_find(unsigned code); /* NULL: not one of those that torch.save writes */

/* ---- pickle_name.c ---- */
maskdm_pickle_code maskdm_pickle_global, maskdm_pickle_reduce, maskdm_pickle_build, maskdm_pickle_persid;

#endif
