/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = x w' + b, alone or with an activation in its epilogue.
 */
#include "ops/ops.h"

/* A product of R x I by I x O; backward needs one such product per gradient of a factor. */
static double flops(const struct mdm_graph *g, const struct mdm_node *n, int backward)
{
    double one = 2.0 * (double)g->val[n->out[0]].numel * (double)mdm_shape_last(&g->val[n->in[0]].shape);

    return backward ? one * (mdm_graph_flows(g, n->in[0]) + mdm_graph_flows(g, n->in[1])) : one;
}

static const struct mdm_op op_linear = {
    .name = "linear", .inputs = "x w b?", .id = MDM_OP_LINEAR, .reads_in = 1u << 0 | 1u << 1,
    .weights = 1u << 1 | 1u << 2, .storable = 1u << 1, .flops = flops};

static const struct mdm_op op_linear_silu = {.name = "linear_silu",
                                             .inputs = "x w b?",
                                             .id = MDM_OP_LINEAR_SILU,
                                             .reads_in = 1u << 0 | 1u << 1,
                                             .reads_out = 1u << 1,
                                             .weights = 1u << 1 | 1u << 2,
                                             .storable = 1u << 1,
                                             .flops = flops};

static mdm_val record(struct mdm_graph *g, const struct mdm_op *op, mdm_val x, mdm_val w, mdm_val b)
{
    mdm_val in[] = {x, w, b}, y;
    struct mdm_shape xs = mdm_graph_shape(g, x), ws = mdm_graph_shape(g, w), bs = mdm_graph_shape(g, b);
    int64_t width = mdm_shape_last(&xs), made = ws.d[0], taken = ws.n < 2 ? 0 : mdm_shape_numel(&ws) / made;

    if (!mdm_graph_node(g, op, 3, in))
        return MDM_NONE;
    if (xs.n < 1 || taken != width)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "%s: x has rows of %lld, w makes rows of %lld from rows of %lld",
                              op->name, (long long)width, (long long)made, (long long)taken);
    if (b != MDM_NONE && mdm_shape_numel(&bs) != made)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "%s: b has %lld elements, w makes rows of %lld", op->name,
                              (long long)mdm_shape_numel(&bs), (long long)made);
    xs.d[xs.n - 1] = made;
    y = mdm_graph_result(g, MDM_ACT, xs);
    if (op->reads_out)
        mdm_graph_result(g, MDM_AUX, xs);
    return y;
}

mdm_val mdm_linear(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b)
{
    return record(g, &op_linear, x, w, b);
}

mdm_val mdm_linear_silu(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b)
{
    return record(g, &op_linear_silu, x, w, b);
}
