/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What planning and running share inside this layer.
 */
#ifndef MASKDM_GRAPH_PLAN_H
#define MASKDM_GRAPH_PLAN_H

#include "graph/graph.h"

/* From the first time that a value's bytes are written to the last that they are read; from > to: never. */
struct mdm_life {
    int from, to;
};

struct mdm_plan {
    struct mdm_graph *g;
    int train, last;              /* last: the time when callers read the outputs */
    struct mdm_life *data, *grad; /* per value */
    struct mdm_life *again;       /* the same for what is made anew in backward */
    unsigned char *used;          /* somebody reads the value */
    unsigned char *wants;         /* its gradient depends on something that wants one */
    unsigned char *reached;       /* ... and somebody gives it one */
    int *twin;                    /* the value whose gradient has the bytes of its own; -1: none */
    struct mdm_span *span;
    int n_span;
};

/* Fills used, wants, reached and twin, and each node's `backward` and `add`. */
int mdm_plan_flow(struct mdm_plan *p);

/* Bytes that are needed from time `from` to time `to`, both included; the offset goes to *at. */
struct mdm_span {
    size_t *at, bytes; /* bytes: a multiple of 64 */
    int from, to;
    int order; /* set by mdm_place() */
};

/* Choose offsets so that spans whose times meet never meet in memory; *total is the end of the last. The sum of
 * all bytes must fit a size_t. */
int mdm_place(size_t *total, struct mdm_span *span, int count);

/* store.c: whether every operation reads its parameters as they are stored. */
int mdm_plan_stored(const struct mdm_plan *p);

/* Everything of a call but pointers and `add`. */
void mdm_graph_call(const struct mdm_graph *g, const struct mdm_node *n, struct mdm_call *c);

/* run.c: every operation once, its pointers handed over. */
int mdm_graph_walk(struct mdm_graph *g, int backward, const void *weights, void *gradients, const atomic_int *cancel);
/* pass.c: of what a device has noted, nothing is noted any more. */
void mdm_graph_forget(struct mdm_graph *g);

#endif
