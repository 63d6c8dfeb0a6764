/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Biases of the queries and the values; keys have none, since the softmax would cancel it.
 */
#include "ops/ops.h"

static const struct maskdm_op op = {.name = "qkv_bias", .inputs = "x q v", .id = MASKDM_OP_QKV_BIAS};

maskdm_val maskdm_qkv_bias(struct maskdm_graph *g, maskdm_val x, maskdm_val q, maskdm_val v)
{
    maskdm_val in[] = {x, q, v};
    struct maskdm_shape xs = maskdm_graph_shape(g, x), qs = maskdm_graph_shape(g, q), vs = maskdm_graph_shape(g, v);

    if (!maskdm_graph_node(g, &op, 3, in))
        return MASKDM_NONE;
    if (xs.n < 1 || maskdm_shape_last(&xs) != 3 * maskdm_shape_numel(&qs) ||
        maskdm_shape_numel(&qs) != maskdm_shape_numel(&vs))
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "qkv_bias: x has rows of %lld, q has %lld elements and v has %lld",
                                 (long long)maskdm_shape_last(&xs), (long long)maskdm_shape_numel(&qs),
                                 (long long)maskdm_shape_numel(&vs));
    return maskdm_graph_result(g, MASKDM_ACT, xs);
}
