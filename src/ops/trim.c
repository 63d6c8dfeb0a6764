/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A sequence without its first tokens, or with some of them alone.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "trim", .inputs = "x", .id = MDM_OP_TRIM};

mdm_val mdm_trim(struct mdm_graph *g, mdm_val x, int64_t extras)
{
    struct mdm_shape s = mdm_graph_shape(g, x);
    struct mdm_node *n = mdm_graph_node(g, &op, 1, &x);

    if (!n)
        return MDM_NONE;
    n->attr[0] = extras;
    if (s.n != 3 || extras < 1 || s.d[1] <= extras)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "trim: %lld of %lld tokens", (long long)extras, (long long)s.d[1]);
    return mdm_graph_result(g, MDM_ACT, mdm_shape3(s.d[0], s.d[1] - extras, s.d[2]));
}

mdm_val mdm_part(struct mdm_graph *g, mdm_val x, int64_t first, int64_t count)
{
    struct mdm_shape s = mdm_graph_shape(g, x);
    struct mdm_node *n = mdm_graph_node(g, &op, 1, &x);

    if (!n)
        return MDM_NONE;
    n->attr[0] = first;
    if (s.n != 3 || first < 0 || count < 1 || count > s.d[1] - first)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "trim: %lld tokens from %lld on of %lld", (long long)count,
                              (long long)first, (long long)s.d[1]);
    return mdm_graph_result(g, MDM_ACT, mdm_shape3(s.d[0], count, s.d[2]));
}
