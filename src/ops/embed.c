/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The row of a table that belongs to a label; for label -1 the null row, the table's last where there is none, or
 * zeros.
 */
#include "ops/ops.h"

static const struct mdm_op op = {
    .name = "embed", .inputs = "label table null?", .id = MDM_OP_EMBED, .reads_in = 1u << 0,
    .weights = 1u << 1 | 1u << 2};

static mdm_val record(struct mdm_graph *g, mdm_val label, mdm_val table, mdm_val null_row, int zero)
{
    mdm_val in[] = {label, table, null_row};
    struct mdm_node *n;
    struct mdm_shape ls = mdm_graph_shape(g, label), ts = mdm_graph_shape(g, table),
                     ns = mdm_graph_shape(g, null_row);

    n = mdm_graph_node(g, &op, 3, in);
    if (!n)
        return MDM_NONE;
    n->attr[0] = zero;
    if (ls.n != 1 || ts.n != 2 || (null_row != MDM_NONE && mdm_shape_numel(&ns) != ts.d[1]))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "embed: the table has rows of %lld, the null row has %lld elements",
                              (long long)mdm_shape_last(&ts), (long long)mdm_shape_numel(&ns));
    return mdm_graph_result(g, MDM_ACT, mdm_shape2(ls.d[0], ts.d[1]));
}

mdm_val mdm_embed(struct mdm_graph *g, mdm_val label, mdm_val table, mdm_val null_row)
{
    return record(g, label, table, null_row, 0);
}

mdm_val mdm_embed_or_zero(struct mdm_graph *g, mdm_val label, mdm_val table)
{
    return record(g, label, table, MDM_NONE, 1);
}
