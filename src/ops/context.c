/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an image's condition says, as tokens of their own in front of its sequence.
 */
#include "ops/ops.h"

static const struct mdm_op op = {
    .name = "context", .inputs = "x c position", .id = MDM_OP_CONTEXT, .weights = 1u << 2};

mdm_val mdm_context(struct mdm_graph *g, mdm_val x, mdm_val c, mdm_val position)
{
    mdm_val in[] = {x, c, position};
    struct mdm_shape xs = mdm_graph_shape(g, x), cs = mdm_graph_shape(g, c), ps = mdm_graph_shape(g, position);

    if (!mdm_graph_node(g, &op, 3, in))
        return MDM_NONE;
    if (xs.n != 3 || cs.n != 2 || cs.d[0] != xs.d[0] || cs.d[1] != xs.d[2] || mdm_shape_last(&ps) != xs.d[2])
        return mdm_graph_fail(g, MASKDM_ESHAPE,
                              "context: c[%lld,%lld] and positions of %lld for %lld images of tokens of %lld",
                              (long long)cs.d[0], (long long)mdm_shape_last(&cs), (long long)mdm_shape_last(&ps),
                              (long long)xs.d[0], (long long)mdm_shape_last(&xs));
    xs.d[1] += mdm_shape_rows(&ps);
    return mdm_graph_result(g, MDM_ACT, xs);
}
