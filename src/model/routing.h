/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which blocks of a transformer some tokens pass by, and how a network records that.
 *
 * A route (Krause et al., "TREAD: Token Routing for Efficient Architecture-agnostic Diffusion Training", arXiv
 * 2501.04765): the tokens that take no part in its blocks stand behind the last of them as they stood before the
 * first. It has no parameters, and a program whose extent routes nothing is the plain network's.
 */
#ifndef MASKDM_MODEL_ROUTING_H
#define MASKDM_MODEL_ROUTING_H

#include "base/rng.h"
#include "model/network.h"

struct mdm_route {
    int64_t first, last; /* its blocks, counted from 0 */
    double ratio;        /* the share of the tokens that pass them by in training */
};

struct mdm_routing {
    int count;
    struct mdm_route route[MDM_MOST_ROUTES]; /* one behind the other, each of a block at least */
};

/* What a network's options say of it; those that it lacks are 0 and "". */
struct mdm_routing_told {
    double route_ratio;
    int64_t route_from, route_behind; /* blocks before and behind the one route of `route_ratio` */
    const char *routes;               /* "FIRST-LAST:RATIO,..." */
};
/* Checked for a network of so many blocks; error lines call options as `o` does. */
int mdm_routing_read(struct mdm_routing *r, const maskdm_options *o, int64_t depth,
                     const struct mdm_routing_told *told);
/* Fill in what of e->visible patches goes through each route where the share `ratio` passes it by; 0: as many as when
 * a step trains. */
void mdm_routing_pass(const struct mdm_routing *r, double ratio, struct mdm_extent *e);
/* Draw them for image i of the extent's: into keep, which has what mdm_extent_kept() says. */
void mdm_routing_draw(const struct mdm_extent *e, struct mdm_rng *stream, int64_t i, int32_t *keep);

/* ---- recording ---- */

/* The inputs that tell who takes part in each route of the extent. */
void mdm_routing_ports(struct mdm_graph *g, struct mdm_ports *ports, const struct mdm_extent *e);

/* Where in its routes a network's recorder is. */
struct mdm_passage {
    const struct mdm_routing *routing;
    const struct mdm_ports *in;
    int route;     /* that tokens pass by just now; -1: none */
    mdm_val whole; /* the sequence as it was before that route; MDM_NONE: there is none */
    mdm_val keep;  /* who takes part in it; MDM_NONE: all */
};

struct mdm_passage mdm_passage_make(const struct mdm_routing *routing, const struct mdm_ports *in);
/* Whether tokens leave the sequence before this block, and whether they come back behind it. */
int mdm_passage_begins(const struct mdm_passage *p, int64_t block);
int mdm_passage_ends(const struct mdm_passage *p, int64_t block);
/* The sequence that goes on. extras: tokens in front of the patches, which always do. */
mdm_val mdm_passage_enter(struct mdm_graph *g, struct mdm_passage *p, int64_t block, mdm_val x, int64_t extras);
mdm_val mdm_passage_leave(struct mdm_graph *g, struct mdm_passage *p, mdm_val x, int64_t extras);

#endif
