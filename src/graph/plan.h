/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What planning and running share inside this layer.
 */
#ifndef MASKDM_GRAPH_PLAN_H
#define MASKDM_GRAPH_PLAN_H

#include "graph/graph.h"

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
