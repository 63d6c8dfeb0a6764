/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = x w' + b, alone or with an activation in its epilogue.
 */
#include "ops/ops.h"

/* A product of R x I by I x O; backward needs one such product per gradient of a factor. */
static double flops(const struct maskdm_graph *g, const struct maskdm_node *n, int backward)
{
    double one = 2.0 * (double)g->val[n->out[0]].numel * (double)maskdm_shape_last(&g->val[n->in[0]].shape);

    return backward ? one * (maskdm_graph_flows(g, n->in[0]) + maskdm_graph_flows(g, n->in[1])) : one;
}

static const struct maskdm_op op_linear = {
    .name = "linear", .inputs = "x w b?", .id = MASKDM_OP_LINEAR, .reads_in = 1u << 0 | 1u << 1, .flops = flops};

static const struct maskdm_op op_linear_silu = {.name = "linear_silu",
                                                .inputs = "x w b?",
                                                .id = MASKDM_OP_LINEAR_SILU,
                                                .reads_in = 1u << 0 | 1u << 1,
                                                .reads_out = 1u << 1,
                                                .flops = flops};

static maskdm_val record(struct maskdm_graph *g, const struct maskdm_op *op, maskdm_val x, maskdm_val w, maskdm_val b)
{
    maskdm_val in[] = {x, w, b}, y;
    struct maskdm_shape xs = maskdm_graph_shape(g, x), ws = maskdm_graph_shape(g, w), bs = maskdm_graph_shape(g, b);
    int64_t width = maskdm_shape_last(&xs), made = ws.d[0], taken = ws.n < 2 ? 0 : maskdm_shape_numel(&ws) / made;

    if (!maskdm_graph_node(g, op, 3, in))
        return MASKDM_NONE;
    if (xs.n < 1 || taken != width)
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "%s: x has rows of %lld, w makes rows of %lld from rows of %lld",
                                 op->name, (long long)width, (long long)made, (long long)taken);
    if (b != MASKDM_NONE && maskdm_shape_numel(&bs) != made)
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "%s: b has %lld elements, w makes rows of %lld", op->name,
                                 (long long)maskdm_shape_numel(&bs), (long long)made);
    xs.d[xs.n - 1] = made;
    y = maskdm_graph_result(g, MASKDM_ACT, xs);
    if (op->reads_out)
        maskdm_graph_result(g, MASKDM_AUX, xs);
    return y;
}

maskdm_val maskdm_linear(struct maskdm_graph *g, maskdm_val x, maskdm_val w, maskdm_val b)
{
    return record(g, &op_linear, x, w, b);
}

maskdm_val maskdm_linear_silu(struct maskdm_graph *g, maskdm_val x, maskdm_val w, maskdm_val b)
{
    return record(g, &op_linear_silu, x, w, b);
}
