/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Convolution over images with the channel innermost; a row per image may be added to all of its pixels.
 */
#include "ops/ops.h"

enum { X, W, B, R };

/* A product of the windows by w; backward needs one such product per gradient of a factor. */
static double flops(const struct mdm_graph *g, const struct mdm_node *n, int backward)
{
    const struct mdm_value *w = &g->val[n->in[W]];
    double one = 2.0 * (double)g->val[n->out[0]].numel * (double)(w->numel / (size_t)w->shape.d[0]);

    return backward ? one * (mdm_graph_flows(g, n->in[X]) + mdm_graph_flows(g, n->in[W])) : one;
}

static const struct mdm_op op = {
    .name = "conv", .inputs = "x w b? r?", .id = MDM_OP_CONV, .reads_in = 1u << X | 1u << W,
    .weights = 1u << W | 1u << B, .storable = 1u << W, .flops = flops};

static int check_rows(struct mdm_graph *g, mdm_val b, mdm_val row, int64_t images, int64_t made)
{
    struct mdm_shape bs = mdm_graph_shape(g, b), rs = mdm_graph_shape(g, row);

    if (b != MDM_NONE && mdm_shape_numel(&bs) != made)
        mdm_graph_fail(g, MASKDM_ESHAPE, "conv: b has %lld elements, w makes %lld channels",
                       (long long)mdm_shape_numel(&bs), (long long)made);
    if (row != MDM_NONE && (rs.n != 2 || rs.d[0] != images || rs.d[1] != made))
        mdm_graph_fail(g, MASKDM_ESHAPE, "conv: r is [%lld,%lld], w makes %lld channels of %lld images",
                       (long long)rs.d[0], (long long)rs.d[1], (long long)made, (long long)images);
    return g->failure.code == 0;
}

mdm_val mdm_conv(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b, mdm_val row, struct mdm_stride s)
{
    return mdm_conv_beside(g, x, w, b, row, s, 0);
}

mdm_val mdm_conv_beside(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b, mdm_val row, struct mdm_stride s,
                        int64_t beside)
{
    const struct mdm_stride columns = {s.step, s.before + beside, s.after + beside};
    mdm_val in[] = {x, w, b, row};
    struct mdm_shape xs = mdm_graph_shape(g, x), ws = mdm_graph_shape(g, w);
    struct mdm_node *n = mdm_graph_node(g, &op, 4, in);
    int64_t down, across;

    if (!n)
        return MDM_NONE;
    n->attr[0] = s.step;
    n->attr[1] = s.before;
    n->attr[2] = s.after;
    n->attr[3] = beside;
    if (xs.n != 4 || ws.n != 4 || ws.d[1] != xs.d[3] || ws.d[1] * ws.d[2] * ws.d[3] > MDM_MOST_WINDOW)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "conv: x has %d dimensions and %lld channels, w[%lld,%lld,%lld,%lld]",
                              xs.n, (long long)mdm_shape_last(&xs), (long long)ws.d[0], (long long)ws.d[1],
                              (long long)ws.d[2], (long long)ws.d[3]);
    if (!check_rows(g, b, row, xs.d[0], ws.d[0]))
        return MDM_NONE;
    if (s.step < 1 || s.before < 0 || s.after < 0 || columns.before < 0 || columns.after < 0)
        return mdm_graph_fail(g, MASKDM_ESHAPE,
                              "conv: a step of %lld with %lld zeros before and %lld after, and %lld more beside",
                              (long long)s.step, (long long)s.before, (long long)s.after, (long long)beside);
    down = mdm_stride_windows(s, xs.d[1], ws.d[2]);
    across = mdm_stride_windows(columns, xs.d[2], ws.d[3]);
    if (down < 1 || across < 1)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "conv: no window of %lld x %lld fits %lld x %lld pixels",
                              (long long)ws.d[2], (long long)ws.d[3], (long long)xs.d[1], (long long)xs.d[2]);
    return mdm_graph_result(g, MDM_ACT, mdm_shape4(xs.d[0], down, across, ws.d[0]));
}
