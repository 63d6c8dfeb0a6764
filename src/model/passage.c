/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two ends of a way past blocks.
 */
#include "model/passage.h"

#include "model/layer.h"
#include "ops/ops.h"

void mdm_passage_ports(struct mdm_graph *g, struct mdm_ports *ports, const struct mdm_routing *r,
                       const struct mdm_extent *e)
{
    for (int i = 0; i < MDM_MOST_ROUTES; i++)
        if (e->routed[i])
            ports->keep[i] = mdm_graph_input(g, MDM_I32, mdm_shape2(e->batch, e->routed[i]));
    if (r->sprint && e->path_drop)
        ports->dropped = mdm_graph_input(g, MDM_I32, mdm_shape1(e->batch));
}

struct mdm_passage mdm_passage_make(const struct mdm_routing *routing, const struct mdm_ports *in,
                                    const struct mdm_extent *e)
{
    return (struct mdm_passage){.routing = routing,
                                .in = in,
                                .shallow = routing->sprint && e->shallow,
                                .route = -1,
                                .whole = MDM_NONE,
                                .keep = MDM_NONE};
}

/* The route that begins at a block and that somebody passes by, or -1. */
static int find_route(const struct mdm_passage *p, int64_t block)
{
    for (int i = 0; i < p->routing->count; i++)
        if (p->routing->route[i].first == block && (p->routing->sprint || p->in->keep[i] != MDM_NONE))
            return i;
    return -1;
}

int mdm_passage_begins(const struct mdm_passage *p, int64_t block)
{
    return find_route(p, block) >= 0;
}

int mdm_passage_ends(const struct mdm_passage *p, int64_t block)
{
    return p->route >= 0 && p->routing->route[p->route].last == block;
}

mdm_val mdm_passage_enter(struct mdm_graph *g, struct mdm_passage *p, int64_t block, mdm_val x, int64_t extras)
{
    p->route = find_route(p, block);
    p->keep = p->in->keep[p->route];
    p->whole = x;
    p->silent = p->shallow;
    if (p->silent)
        return MDM_NONE;
    return p->keep == MDM_NONE ? x : mdm_route(g, x, p->keep, extras);
}

/* [what comes from the deep blocks | what went into them], through one layer. */
static mdm_val join(struct mdm_graph *g, const struct mdm_passage *p, mdm_val deep, int64_t extras)
{
    const struct mdm_shape whole = mdm_graph_shape(g, p->whole);
    const int64_t dim = mdm_shape_last(&whole);
    mdm_val (*const ask)(struct mdm_graph *, const char *, struct mdm_shape, enum mdm_init, double) =
        p->routing->trains_filler ? mdm_graph_param : mdm_graph_frozen;
    struct mdm_layer linear;

    mdm_graph_scope(g, "%s", "");
    if (p->silent || p->keep != MDM_NONE || p->in->dropped != MDM_NONE)
        deep = mdm_fill(g, ask(g, "mask_token", mdm_shape3(1, 1, dim), MDM_INIT_NORMAL, 0.02), deep, p->keep,
                        p->in->dropped, whole, extras);
    linear = mdm_layer_hidden(g, "renoise_linear", dim, 2 * dim, 1);
    return mdm_linear2(g, deep, p->whole, linear.w, linear.b);
}

mdm_val mdm_passage_leave(struct mdm_graph *g, struct mdm_passage *p, mdm_val x, int64_t extras)
{
    x = p->routing->sprint ? join(g, p, x, extras) : mdm_unroute(g, p->whole, x, p->keep, extras);
    p->silent = 0;
    p->route = -1;
    p->whole = p->keep = MDM_NONE;
    return x;
}
