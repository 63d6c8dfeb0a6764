/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Self-attention within each image, from the joint projection qkv.
 */
#include "ops/ops.h"

/* Two products of N x N x D/h per head and image; four in backward. */
static double flops(const struct maskdm_graph *g, const struct maskdm_node *n, int backward)
{
    const struct maskdm_shape *y = &g->val[n->out[0]].shape;
    double one = 2.0 * (double)y->d[0] * (double)y->d[1] * (double)y->d[1] * (double)y->d[2];

    return backward ? 4 * one : 2 * one;
}

static const struct maskdm_op op = {.name = "attention",
                                    .inputs = "qkv",
                                    .id = MASKDM_OP_ATTENTION,
                                    .reads_in = 1u << 0,
                                    .reads_out = 1u << 0 | 1u << 1,
                                    .flops = flops};

maskdm_val maskdm_attention(struct maskdm_graph *g, maskdm_val qkv, int64_t heads)
{
    struct maskdm_shape s = maskdm_graph_shape(g, qkv);
    struct maskdm_node *n = maskdm_graph_node(g, &op, 1, &qkv);
    maskdm_val y;

    if (!n)
        return MASKDM_NONE;
    n->attr[0] = heads;
    if (s.n != 3 || heads < 1 || s.d[2] % 3 || s.d[2] / 3 % heads)
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "attention: qkv has %d dimensions and rows of %lld for %lld heads",
                                 s.n, (long long)maskdm_shape_last(&s), (long long)heads);
    y = maskdm_graph_result(g, MASKDM_ACT, maskdm_shape3(s.d[0], s.d[1], s.d[2] / 3));
    maskdm_graph_result(g, MASKDM_AUX, maskdm_shape3(s.d[0], heads, s.d[1]));
    return y;
}
