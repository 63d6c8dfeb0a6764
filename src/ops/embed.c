/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The row of a table that belongs to a label, or the null row for label -1.
 */
#include "ops/ops.h"

static const struct maskdm_op op = {
    .name = "embed", .inputs = "label table null", .id = MASKDM_OP_EMBED, .reads_in = 1u << 0};

maskdm_val maskdm_embed(struct maskdm_graph *g, maskdm_val label, maskdm_val table, maskdm_val null_row)
{
    maskdm_val in[] = {label, table, null_row};
    struct maskdm_shape ls = maskdm_graph_shape(g, label), ts = maskdm_graph_shape(g, table),
                        ns = maskdm_graph_shape(g, null_row);

    if (!maskdm_graph_node(g, &op, 3, in))
        return MASKDM_NONE;
    if (ls.n != 1 || ts.n != 2 || maskdm_shape_numel(&ns) != ts.d[1])
        return maskdm_graph_fail(g, MASKDM_ESHAPE,
                                 "embed: the table has rows of %lld, the null row has %lld elements",
                                 (long long)maskdm_shape_last(&ts), (long long)maskdm_shape_numel(&ns));
    return maskdm_graph_result(g, MASKDM_ACT, maskdm_shape2(ls.d[0], ts.d[1]));
}
