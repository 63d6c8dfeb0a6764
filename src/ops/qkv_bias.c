/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Biases of the queries and the values; keys have none, since the softmax would cancel it.
 */
#include "ops/ops.h"

static const struct mdm_op op = {
    .name = "qkv_bias", .inputs = "x q v", .id = MDM_OP_QKV_BIAS, .weights = 1u << 1 | 1u << 2};

mdm_val mdm_qkv_bias(struct mdm_graph *g, mdm_val x, mdm_val q, mdm_val v)
{
    mdm_val in[] = {x, q, v};
    struct mdm_shape xs = mdm_graph_shape(g, x), qs = mdm_graph_shape(g, q), vs = mdm_graph_shape(g, v);

    if (!mdm_graph_node(g, &op, 3, in))
        return MDM_NONE;
    if (xs.n < 1 || mdm_shape_last(&xs) != 3 * mdm_shape_numel(&qs) || mdm_shape_numel(&qs) != mdm_shape_numel(&vs))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "qkv_bias: x has rows of %lld, q has %lld elements and v has %lld",
                              (long long)mdm_shape_last(&xs), (long long)mdm_shape_numel(&qs),
                              (long long)mdm_shape_numel(&vs));
    return mdm_graph_result(g, MDM_ACT, xs);
}
