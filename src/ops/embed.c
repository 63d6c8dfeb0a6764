/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The row of a table that belongs to a label, for label -1 the null row, or the table's last where there is none.
 */
#include "ops/ops.h"

static const struct mdm_op op = {
    .name = "embed", .inputs = "label table null?", .id = MDM_OP_EMBED, .reads_in = 1u << 0};

mdm_val mdm_embed(struct mdm_graph *g, mdm_val label, mdm_val table, mdm_val null_row)
{
    mdm_val in[] = {label, table, null_row};
    struct mdm_shape ls = mdm_graph_shape(g, label), ts = mdm_graph_shape(g, table),
                     ns = mdm_graph_shape(g, null_row);

    if (!mdm_graph_node(g, &op, 3, in))
        return MDM_NONE;
    if (ls.n != 1 || ts.n != 2 || (null_row != MDM_NONE && mdm_shape_numel(&ns) != ts.d[1]))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "embed: the table has rows of %lld, the null row has %lld elements",
                              (long long)mdm_shape_last(&ts), (long long)mdm_shape_numel(&ns));
    return mdm_graph_result(g, MDM_ACT, mdm_shape2(ls.d[0], ts.d[1]));
}
