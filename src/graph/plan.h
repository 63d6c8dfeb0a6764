/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What planning and running share inside this layer.
 */
#ifndef MASKDM_GRAPH_PLAN_H
#define MASKDM_GRAPH_PLAN_H

#include "graph/graph.h"

/* From the first time that a value's bytes are written to the last that they are read; from > to: never. */
struct maskdm_life {
    int from, to;
};

struct maskdm_plan {
    struct maskdm_graph *g;
    int train, last;                 /* last: the time when callers read the outputs */
    struct maskdm_life *data, *grad; /* per value */
    struct maskdm_life *again;       /* the same for what is made anew in backward */
    unsigned char *used;             /* somebody reads the value */
    unsigned char *wants;            /* its gradient depends on something that wants one */
    unsigned char *reached;          /* ... and somebody gives it one */
    struct maskdm_span *span;
    int n_span;
};

/* Fills used, wants and reached, and each node's `backward` and `add`. */
int maskdm_plan_flow(struct maskdm_plan *p);

/* Bytes that are needed from time `from` to time `to`, both included; the offset goes to *at. */
struct maskdm_span {
    size_t *at, bytes; /* bytes: a multiple of 64 */
    int from, to;
    int order; /* set by maskdm_place() */
};

/* Choose offsets so that spans whose times meet never meet in memory; *total is the end of the last. The sum of
 * all bytes must fit a size_t. */
int maskdm_place(size_t *total, struct maskdm_span *span, int count);

/* Everything of a call but pointers and `add`. */
void maskdm_graph_call(const struct maskdm_graph *g, const struct maskdm_node *n, struct maskdm_call *c);

#endif
