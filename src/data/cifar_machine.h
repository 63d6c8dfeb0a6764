/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stack machine that reads a batch of CIFAR's for Python. Values are small: text and bytes are a place in the
 * file, a list or tuple is a run of the table of items.
 */
#ifndef MASKDM_DATA_CIFAR_MACHINE_H
#define MASKDM_DATA_CIFAR_MACHINE_H

#include "data/cifar_pickle.h"

enum mdm_cifar_kind {
    MDM_CIFAR_MARK,
    MDM_CIFAR_NONE,
    MDM_CIFAR_INT,
    MDM_CIFAR_TEXT,
    MDM_CIFAR_LIST,
    MDM_CIFAR_TUPLE,
    MDM_CIFAR_DICT,
    MDM_CIFAR_CODE,
    MDM_CIFAR_ARRAY
};
enum { MDM_CIFAR_STACK = 1 << 18, MDM_CIFAR_WINDOW = 1 << 14 };

struct mdm_cifar_value {
    enum mdm_cifar_kind kind;
    int64_t number;   /* INT; of LIST and TUPLE the first item, of TEXT the bytes */
    uint64_t at;      /* TEXT: its place; LIST, TUPLE: how many items; ARRAY: of its bytes */
    int64_t shape[2]; /* ARRAY */
};

struct mdm_cifar_machine {
    struct mdm_tensorfile *f;
    struct mdm_cifar_batch *batch;
    struct mdm_cifar_value *stack, *item, *memo; /* of MDM_CIFAR_STACK */
    int64_t depth, items, memos;
    uint64_t at, window_at;
    size_t window_size;
    unsigned char window[MDM_CIFAR_WINDOW];
};

int mdm_cifar_damaged(const struct mdm_cifar_machine *m, const char *what);
/* The next n bytes, n at most MDM_CIFAR_WINDOW; NULL: they are not there, which is recorded. */
const unsigned char *mdm_cifar_take(struct mdm_cifar_machine *m, size_t n);
/* A number of n bytes. */
int mdm_cifar_number(struct mdm_cifar_machine *m, int n, int64_t *out);
int mdm_cifar_push(struct mdm_cifar_machine *m, struct mdm_cifar_value v);
/* Everything above the last mark, which goes, becomes the end of the items; *n: how many. */
int mdm_cifar_gather(struct mdm_cifar_machine *m, int64_t *n);

/* ---- cifar_value.c: opcodes of plain values ---- */
int mdm_cifar_protocol(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_frame(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_constant(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_empty(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_integer(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_text(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_put(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_get(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_tuple(struct mdm_cifar_machine *m, unsigned char code);
int mdm_cifar_append(struct mdm_cifar_machine *m, unsigned char code);

#endif
