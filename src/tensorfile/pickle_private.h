/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the pickle reader share: nodes, stack and memo, the table of opcodes and that of names.
 */
#ifndef MASKDM_TENSORFILE_PICKLE_PRIVATE_H
#define MASKDM_TENSORFILE_PICKLE_PRIVATE_H

#include "tensorfile/pickle.h"

enum {
    MDM_PICKLE_OPCODES = 4 << 20,
    MDM_PICKLE_STACK = 65536,
    MDM_PICKLE_MEMO = 1 << 20,
    MDM_PICKLE_KEY = 1024 /* bytes of a dictionary's key, of which a small file may hold one many times */
};

/* ---- pickle_stack.c ---- */
/* With the nodes that stand for a MARK and for no cell. A failure leaves nothing to free. */
int mdm_pickle_start(struct mdm_pickle *p, const void *bytes, size_t size);
/* The next n bytes, or NULL with the failure recorded. */
const unsigned char *mdm_pickle_take(struct mdm_pickle *p, uint64_t n);
int mdm_pickle_push(struct mdm_pickle *p, uint32_t node);
int mdm_pickle_push_new(struct mdm_pickle *p, struct mdm_pickle_node node);
int mdm_pickle_pop(struct mdm_pickle *p, uint32_t *node); /* anything but a MARK */
/* What lies above the topmost MARK: its place on the stack, and how many. */
int mdm_pickle_find_mark(struct mdm_pickle *p, size_t *first, size_t *count);
int mdm_pickle_append(struct mdm_pickle *p, uint32_t container, uint32_t value);
int mdm_pickle_put(struct mdm_pickle *p, uint64_t index); /* the top of the stack into the memo */
int mdm_pickle_get(struct mdm_pickle *p, uint64_t index);

/* ---- pickle_code.c ---- */
typedef int mdm_pickle_code(struct mdm_pickle *p, unsigned code);
mdm_pickle_code *mdm_pickle_code_find(unsigned code); /* NULL: not one of those that torch.save writes */

/* ---- pickle_name.c ---- */
mdm_pickle_code mdm_pickle_global, mdm_pickle_reduce, mdm_pickle_object, mdm_pickle_build, mdm_pickle_persid;

#endif
