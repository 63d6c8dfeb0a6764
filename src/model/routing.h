/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which blocks of a transformer some tokens pass by.
 *
 * A route (Krause et al., "TREAD: Token Routing for Efficient Architecture-agnostic Diffusion Training", arXiv
 * 2501.04765): the tokens that take no part in its blocks stand behind the last of them as they stood before the
 * first. It has no parameters, and a program whose extent routes nothing is the plain network's.
 *
 * A sprint (Park et al., "Sprint: Sparse-Dense Residual Fusion for Efficient Diffusion Transformers", arXiv
 * 2510.21986): between the first and the last few blocks, which see all tokens, the deep ones see few. What comes of
 * these, with a filler in the place of the others, is joined by a linear layer to what went into them. The whole deep
 * way may be left out of an image.
 */
#ifndef MASKDM_MODEL_ROUTING_H
#define MASKDM_MODEL_ROUTING_H

#include "base/rng.h"
#include "model/network.h"

struct mdm_route {
    int64_t first, last; /* its blocks, counted from 0 */
    double ratio;        /* the share of the tokens that pass them by in training */
};

/* Who takes part: any set of its size, or so many of every square of patches. */
enum mdm_subset { MDM_SUBSET_GRID, MDM_SUBSET_RANDOM };

struct mdm_routing {
    int count;
    struct mdm_route route[MDM_MOST_ROUTES]; /* one behind the other, each of a block at least */
    int sprint;                              /* the one route's blocks are the deep ones of a sprint */
    int trains_filler;
    double path_drop; /* share of the images that are trained without what comes from there */
    enum mdm_subset subset;
    int64_t side, taken;   /* of every side x side patches, where it is MDM_SUBSET_GRID */
    int64_t rows, columns; /* of the grid of patches */
};

/* What a network's options say of it; those that it lacks are 0 and NULL. */
struct mdm_routing_told {
    double route_ratio;
    int64_t route_from, route_behind; /* blocks before and behind the one route of `route_ratio` */
    const char *routes;               /* "FIRST-LAST:RATIO,..." */
    int64_t sprint;                   /* blocks before and behind the deep ones; 0: there are none */
    double sprint_drop, path_drop;
    enum mdm_subset sprint_subset;
    int train_filler;
};
/* Checked for a network of so many blocks and patches; error lines call options as `o` does. mirrored: as many blocks
 * stand behind a route as before it. */
int mdm_routing_read(struct mdm_routing *r, const maskdm_options *o, const struct mdm_geometry *g, int64_t depth,
                     const struct mdm_routing_told *told, int mirrored);
/* The same for one that is made of a sprint and has the blocks of each part told. */
int mdm_routing_read_sprint(struct mdm_routing *r, const maskdm_options *o, const struct mdm_geometry *g,
                            int64_t before, int64_t deep, const struct mdm_routing_told *told);
/* Fill in what of e->visible patches goes through each route where the share `ratio` passes it by; 0: as many as when
 * a step trains. MASKDM_EINVAL where of so many none would be left, or no squares of them. */
int mdm_routing_pass(const struct mdm_routing *r, const maskdm_options *o, double ratio, struct mdm_extent *e);
/* Draw them for image i of the extent's: into keep, which has what mdm_extent_kept() says. */
void mdm_routing_draw(const struct mdm_routing *r, const struct mdm_extent *e, struct mdm_rng *stream, int64_t i,
                      int32_t *keep);

#endif
