/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = x + r, element by element.
 */
#include "ops/ops.h"

static const struct maskdm_op op = {.name = "add", .inputs = "x r", .id = MASKDM_OP_ADD};

maskdm_val maskdm_add(struct maskdm_graph *g, maskdm_val x, maskdm_val r)
{
    maskdm_val in[] = {x, r};
    struct maskdm_shape xs = maskdm_graph_shape(g, x), rs = maskdm_graph_shape(g, r);

    if (!maskdm_graph_node(g, &op, 2, in))
        return MASKDM_NONE;
    if (!maskdm_shape_equal(&xs, &rs))
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "add: x is %lld x %lld, r is %lld x %lld",
                                 (long long)maskdm_shape_rows(&xs), (long long)maskdm_shape_last(&xs),
                                 (long long)maskdm_shape_rows(&rs), (long long)maskdm_shape_last(&rs));
    return maskdm_graph_result(g, MASKDM_ACT, xs);
}
