/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How a network records the ways past its blocks (routing.h): it asks before and behind each of them.
 */
#ifndef MASKDM_MODEL_PASSAGE_H
#define MASKDM_MODEL_PASSAGE_H

#include "model/routing.h"

/* The inputs that tell who takes part in each route of the extent, and of which images nothing comes from there. */
void mdm_passage_ports(struct mdm_graph *g, struct mdm_ports *ports, const struct mdm_routing *r,
                       const struct mdm_extent *e);

/* Where in its routes a network's recorder is. */
struct mdm_passage {
    const struct mdm_routing *routing;
    const struct mdm_ports *in;
    int shallow;   /* as the extent has it */
    int silent;    /* the blocks from here to the route's end are not run; the sequence is MDM_NONE */
    int route;     /* that tokens pass by just now; -1: none */
    mdm_val whole; /* the sequence as it was before that route; MDM_NONE: there is none */
    mdm_val keep;  /* who takes part in it; MDM_NONE: all */
};

struct mdm_passage mdm_passage_make(const struct mdm_routing *routing, const struct mdm_ports *in,
                                    const struct mdm_extent *e);
/* Whether a way past this block and others begins before it, and whether it ends behind it. */
int mdm_passage_begins(const struct mdm_passage *p, int64_t block);
int mdm_passage_ends(const struct mdm_passage *p, int64_t block);
/* The sequence that goes on. extras: tokens in front of the patches, which always do. */
mdm_val mdm_passage_enter(struct mdm_graph *g, struct mdm_passage *p, int64_t block, mdm_val x, int64_t extras);
mdm_val mdm_passage_leave(struct mdm_graph *g, struct mdm_passage *p, mdm_val x, int64_t extras);

#endif
