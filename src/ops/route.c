/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Some tokens pass a stretch of a network by: route takes those that go through it, unroute puts them back over the
 * sequence as it was before, so that the others skip what lies between unchanged. Extra tokens always go through.
 */
#include "ops/ops.h"

static const struct mdm_op op_route = {.name = "route", .inputs = "x keep", .id = MDM_OP_ROUTE, .reads_in = 1u << 1};
static const struct mdm_op op_unroute = {
    .name = "unroute", .inputs = "x y keep", .id = MDM_OP_UNROUTE, .reads_in = 1u << 2};

static int check_kept(struct mdm_graph *g, const char *name, const struct mdm_shape *x, mdm_val keep, int64_t extras)
{
    struct mdm_shape k = mdm_graph_shape(g, keep);

    if (x->n == 3 && k.n == 2 && k.d[0] == x->d[0] && extras >= 0 && k.d[1] <= x->d[1] - extras)
        return 1;
    mdm_graph_fail(g, MASKDM_ESHAPE, "%s: keep[%lld,%lld] for %lld images of %lld tokens behind %lld others", name,
                   (long long)k.d[0], (long long)k.d[1], (long long)x->d[0], (long long)(x->d[1] - extras),
                   (long long)extras);
    return 0;
}

mdm_val mdm_route(struct mdm_graph *g, mdm_val x, mdm_val keep, int64_t extras)
{
    mdm_val in[] = {x, keep};
    struct mdm_shape xs = mdm_graph_shape(g, x);
    struct mdm_node *n = mdm_graph_node(g, &op_route, 2, in);

    if (!n || !check_kept(g, "route", &xs, keep, extras))
        return MDM_NONE;
    n->attr[0] = extras;
    xs.d[1] = extras + mdm_graph_shape(g, keep).d[1];
    return mdm_graph_result(g, MDM_ACT, xs);
}

mdm_val mdm_unroute(struct mdm_graph *g, mdm_val x, mdm_val y, mdm_val keep, int64_t extras)
{
    mdm_val in[] = {x, y, keep};
    struct mdm_shape xs = mdm_graph_shape(g, x), ys = mdm_graph_shape(g, y);
    struct mdm_node *n = mdm_graph_node(g, &op_unroute, 3, in);

    if (!n || !check_kept(g, "unroute", &xs, keep, extras))
        return MDM_NONE;
    if (ys.n != 3 || ys.d[0] != xs.d[0] || ys.d[1] != extras + mdm_graph_shape(g, keep).d[1] || ys.d[2] != xs.d[2])
        return mdm_graph_fail(g, MASKDM_ESHAPE, "unroute: y is %lld x %lld for %lld kept tokens of %lld",
                              (long long)ys.d[1], (long long)mdm_shape_last(&ys),
                              (long long)(extras + mdm_graph_shape(g, keep).d[1]), (long long)xs.d[2]);
    n->attr[0] = extras;
    return mdm_graph_result(g, MDM_ACT, xs);
}
