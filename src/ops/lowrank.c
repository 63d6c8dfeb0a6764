/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = w + s b a, a matrix and a product of two narrow ones (Hu et al., "LoRA: Low-Rank Adaptation of Large Language
 * Models", arXiv 2106.09685). The sum is made anew in backward, so that a program holds none of the size of its
 * weights.
 */
#include "ops/ops.h"

static double flops(const struct mdm_graph *g, const struct mdm_node *n, int backward)
{
    const double one = 2.0 * (double)g->val[n->out[0]].numel * (double)g->val[n->in[1]].shape.d[0];

    return backward ? one * (mdm_graph_flows(g, n->in[1]) + mdm_graph_flows(g, n->in[2])) : one;
}

static const struct mdm_op op = {.name = "lowrank",
                                 .inputs = "w a b",
                                 .id = MDM_OP_LOWRANK,
                                 .reads_in = 1u << 1 | 1u << 2,
                                 .weights = 1u << 0 | 1u << 1 | 1u << 2,
                                 .weight_out = 1u << 0,
                                 .remade_out = 1u << 0,
                                 .remake_in = 1u << 0 | 1u << 1 | 1u << 2,
                                 .flops = flops};

mdm_val mdm_lowrank(struct mdm_graph *g, mdm_val w, mdm_val a, mdm_val b, double scale)
{
    mdm_val in[] = {w, a, b};
    struct mdm_shape ws = mdm_graph_shape(g, w), as = mdm_graph_shape(g, a), bs = mdm_graph_shape(g, b);
    struct mdm_node *n = mdm_graph_node(g, &op, 3, in);
    int64_t made, rank;

    if (!n)
        return MDM_NONE;
    n->constant[0] = scale;
    made = ws.n < 2 ? 0 : ws.d[0];
    rank = as.n < 1 ? 0 : as.d[0];
    if (made < 1 || rank < 1 || mdm_shape_numel(&bs) != made * rank || bs.d[0] != made ||
        mdm_shape_numel(&as) / rank != mdm_shape_numel(&ws) / made || mdm_shape_numel(&as) % rank)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "lowrank: w is %lld x %lld, a %lld x %lld, b %lld x %lld",
                              (long long)made, (long long)(made ? mdm_shape_numel(&ws) / made : 0), (long long)rank,
                              (long long)(rank ? mdm_shape_numel(&as) / rank : 0), (long long)bs.d[0],
                              (long long)(bs.d[0] ? mdm_shape_numel(&bs) / bs.d[0] : 0));
    return mdm_graph_result(g, MDM_ACT, ws);
}
