/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A sequence without its first tokens.
 */
#include "ops/ops.h"

static const struct maskdm_op op = {.name = "trim", .inputs = "x", .id = MASKDM_OP_TRIM};

maskdm_val maskdm_trim(struct maskdm_graph *g, maskdm_val x, int64_t extras)
{
    struct maskdm_shape s = maskdm_graph_shape(g, x);
    struct maskdm_node *n = maskdm_graph_node(g, &op, 1, &x);

    if (!n)
        return MASKDM_NONE;
    n->attr[0] = extras;
    if (s.n != 3 || extras < 1 || s.d[1] <= extras)
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "trim: %lld of %lld tokens", (long long)extras, (long long)s.d[1]);
    return maskdm_graph_result(g, MASKDM_ACT, maskdm_shape3(s.d[0], s.d[1] - extras, s.d[2]));
}
