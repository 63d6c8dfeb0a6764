/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Self-attention within each image, from the joint projection qkv.
 */
#include "ops/ops.h"

/* Two products of N x N x D/h per head and image; four in backward. */
static double flops(const struct mdm_graph *g, const struct mdm_node *n, int backward)
{
    const struct mdm_shape *y = &g->val[n->out[0]].shape;
    double tokens = (double)(mdm_shape_rows(y) / y->d[0]);
    double one = 2.0 * (double)y->d[0] * tokens * tokens * (double)mdm_shape_last(y);

    return backward ? 4 * one : 2 * one;
}

static const struct mdm_op op = {.name = "attention",
                                 .inputs = "qkv",
                                 .id = MDM_OP_ATTENTION,
                                 .reads_in = 1u << 0,
                                 .reads_out = 1u << 0 | 1u << 1,
                                 .flops = flops};

mdm_val mdm_attention(struct mdm_graph *g, mdm_val qkv, int64_t heads)
{
    struct mdm_shape s = mdm_graph_shape(g, qkv);
    struct mdm_node *n = mdm_graph_node(g, &op, 1, &qkv);
    int64_t tokens;
    mdm_val y;

    if (!n)
        return MDM_NONE;
    n->attr[0] = heads;
    if (s.n < 3 || heads < 1 || mdm_shape_last(&s) % 3 || mdm_shape_last(&s) / 3 % heads)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "attention: qkv has %d dimensions and rows of %lld for %lld heads",
                              s.n, (long long)mdm_shape_last(&s), (long long)heads);
    tokens = mdm_shape_rows(&s) / s.d[0];
    s.d[s.n - 1] /= 3;
    y = mdm_graph_result(g, MDM_ACT, s);
    mdm_graph_result(g, MDM_AUX, mdm_shape3(s.d[0], heads, tokens));
    return y;
}
