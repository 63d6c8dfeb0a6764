/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A pickle, read and never executed: a stack machine that knows what torch.save writes (protocol 2) and can build
 * nothing but plain values. Names of code are looked up in a closed table; calling one only matches a pattern. What
 * is built is a graph of nodes that point to each other by number: sharing costs nothing, and the memory is in
 * proportion to the pickle. doc/formats.md has the limits.
 */
#ifndef MASKDM_TENSORFILE_PICKLE_H
#define MASKDM_TENSORFILE_PICKLE_H

#include <stddef.h>
#include <stdint.h>

enum mdm_pickle_kind {
    MDM_PICKLE_MARK, /* on the stack only */
    MDM_PICKLE_NONE,
    MDM_PICKLE_OTHER, /* a value that nobody reads: an element type, a number of more than 64 bits */
    MDM_PICKLE_BOOL,
    MDM_PICKLE_INT,
    MDM_PICKLE_FLOAT,
    MDM_PICKLE_TEXT, /* UTF-8 without NUL */
    MDM_PICKLE_TUPLE,
    MDM_PICKLE_LIST,
    MDM_PICKLE_DICT, /* keys are TEXT or INT, none twice */
    MDM_PICKLE_GLOBAL,
    MDM_PICKLE_STORAGE,
    MDM_PICKLE_TENSOR,
    MDM_PICKLE_KINDS
};
extern const char *const mdm_pickle_kind_name[MDM_PICKLE_KINDS]; /* "a list" */

/* A dictionary as such, an OrderedDict, an object whose attributes are still to come. */
enum mdm_pickle_dict { MDM_PICKLE_PLAIN, MDM_PICKLE_ORDERED, MDM_PICKLE_BARE };

struct mdm_pickle_node {
    unsigned char kind;
    unsigned char detail; /* GLOBAL, STORAGE: row of the table of names; DICT: enum mdm_pickle_dict */
    uint32_t count;       /* bytes of TEXT; cells of TUPLE, LIST, DICT */
    union {
        int64_t integer; /* INT, BOOL */
        double real;
        const char *text;
        struct {
            uint32_t first, last;
        } cells;            /* a DICT's are key, value, key, value, ... */
        uint32_t arguments; /* STORAGE: TUPLE of "storage", GLOBAL, key TEXT, place TEXT, elements INT */
        struct {
            uint32_t storage, offset, size, stride;
        } tensor; /* STORAGE, INT, TUPLE, TUPLE */
    } u;
};

struct mdm_pickle_cell {
    uint32_t value, next;
}; /* next 0: the last */
struct mdm_pickle_memo {
    uint32_t index, node;
};

struct mdm_pickle {
    const unsigned char *bytes;
    size_t size, at;
    struct mdm_pickle_node *node; /* 0 is the MARK */
    struct mdm_pickle_cell *cell; /* 0 is none */
    struct mdm_pickle_memo *memo; /* indices rise */
    uint32_t *stack;
    size_t nodes, cells, memos, depth;
    size_t node_room, cell_room, memo_room, stack_room;
    uint32_t root; /* what STOP left */
};

/* Read the whole pickle; texts point into `bytes`. A failure leaves nothing to free. */
int mdm_pickle_open(struct mdm_pickle *p, const void *bytes, size_t size);
void mdm_pickle_close(struct mdm_pickle *p);
/* Element type ("F32") of a STORAGE. */
const char *mdm_pickle_dtype(const struct mdm_pickle_node *storage);

#endif
