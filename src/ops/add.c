/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = x + r, element by element.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "add", .inputs = "x r", .id = MDM_OP_ADD, .twins = 1u << 0 | 1u << 1};

mdm_val mdm_add(struct mdm_graph *g, mdm_val x, mdm_val r)
{
    mdm_val in[] = {x, r};
    struct mdm_shape xs = mdm_graph_shape(g, x), rs = mdm_graph_shape(g, r);

    if (!mdm_graph_node(g, &op, 2, in))
        return MDM_NONE;
    if (!mdm_shape_equal(&xs, &rs))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "add: x is %lld x %lld, r is %lld x %lld",
                              (long long)mdm_shape_rows(&xs), (long long)mdm_shape_last(&xs),
                              (long long)mdm_shape_rows(&rs), (long long)mdm_shape_last(&rs));
    return mdm_graph_result(g, MDM_ACT, xs);
}
