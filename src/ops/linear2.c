/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = [x|s] w' + b: the join of a long skip, without the concatenation.
 */
#include "ops/ops.h"

static double flops(const struct maskdm_graph *g, const struct maskdm_node *n, int backward)
{
    double rows = 2.0 * (double)g->val[n->out[0]].numel, sum = 0;

    for (int k = 0; k < 2; k++) {
        double one = rows * (double)maskdm_shape_last(&g->val[n->in[k]].shape);
        sum += backward ? one * (maskdm_graph_flows(g, n->in[k]) + maskdm_graph_flows(g, n->in[2])) : one;
    }
    return sum;
}

static const struct maskdm_op op = {.name = "linear2",
                                    .inputs = "x s w b?",
                                    .id = MASKDM_OP_LINEAR2,
                                    .reads_in = 1u << 0 | 1u << 1 | 1u << 2,
                                    .flops = flops};

maskdm_val maskdm_linear2(struct maskdm_graph *g, maskdm_val x, maskdm_val s, maskdm_val w, maskdm_val b)
{
    maskdm_val in[] = {x, s, w, b};
    struct maskdm_shape xs = maskdm_graph_shape(g, x), ss = maskdm_graph_shape(g, s), ws = maskdm_graph_shape(g, w),
                        bs = maskdm_graph_shape(g, b);

    if (!maskdm_graph_node(g, &op, 4, in))
        return MASKDM_NONE;
    if (maskdm_shape_rows(&xs) != maskdm_shape_rows(&ss))
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "linear2: x has %lld rows, s has %lld",
                                 (long long)maskdm_shape_rows(&xs), (long long)maskdm_shape_rows(&ss));
    if (xs.n < 1 || ws.n != 2 || ws.d[1] != maskdm_shape_last(&xs) + maskdm_shape_last(&ss))
        return maskdm_graph_fail(
            g, MASKDM_ESHAPE, "linear2: x and s have rows of %lld and %lld, w takes rows of %lld",
            (long long)maskdm_shape_last(&xs), (long long)maskdm_shape_last(&ss), (long long)maskdm_shape_last(&ws));
    if (b != MASKDM_NONE && maskdm_shape_numel(&bs) != ws.d[0])
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "linear2: b has %lld elements, w makes rows of %lld",
                                 (long long)maskdm_shape_numel(&bs), (long long)ws.d[0]);
    xs.d[xs.n - 1] = ws.d[0];
    return maskdm_graph_result(g, MASKDM_ACT, xs);
}
