/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = [x|s] w' + b: the join of a long skip, without the concatenation.
 */
#include "ops/ops.h"

static double flops(const struct mdm_graph *g, const struct mdm_node *n, int backward)
{
    double rows = 2.0 * (double)g->val[n->out[0]].numel, sum = 0;

    for (int k = 0; k < 2; k++) {
        double one = rows * (double)mdm_shape_last(&g->val[n->in[k]].shape);
        sum += backward ? one * (mdm_graph_flows(g, n->in[k]) + mdm_graph_flows(g, n->in[2])) : one;
    }
    return sum;
}

static const struct mdm_op op = {.name = "linear2",
                                 .inputs = "x s w b?",
                                 .id = MDM_OP_LINEAR2,
                                 .reads_in = 1u << 0 | 1u << 1 | 1u << 2,
                                 .weights = 1u << 2 | 1u << 3,
                                 .storable = 1u << 2,
                                 .flops = flops};

mdm_val mdm_linear2(struct mdm_graph *g, mdm_val x, mdm_val s, mdm_val w, mdm_val b)
{
    mdm_val in[] = {x, s, w, b};
    struct mdm_shape xs = mdm_graph_shape(g, x), ss = mdm_graph_shape(g, s), ws = mdm_graph_shape(g, w),
                     bs = mdm_graph_shape(g, b);

    if (!mdm_graph_node(g, &op, 4, in))
        return MDM_NONE;
    if (mdm_shape_rows(&xs) != mdm_shape_rows(&ss))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "linear2: x has %lld rows, s has %lld",
                              (long long)mdm_shape_rows(&xs), (long long)mdm_shape_rows(&ss));
    if (xs.n < 1 || ws.n != 2 || ws.d[1] != mdm_shape_last(&xs) + mdm_shape_last(&ss))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "linear2: x and s have rows of %lld and %lld, w takes rows of %lld",
                              (long long)mdm_shape_last(&xs), (long long)mdm_shape_last(&ss),
                              (long long)mdm_shape_last(&ws));
    if (b != MDM_NONE && mdm_shape_numel(&bs) != ws.d[0])
        return mdm_graph_fail(g, MASKDM_ESHAPE, "linear2: b has %lld elements, w makes rows of %lld",
                              (long long)mdm_shape_numel(&bs), (long long)ws.d[0]);
    xs.d[xs.n - 1] = ws.d[0];
    return mdm_graph_result(g, MDM_ACT, xs);
}
