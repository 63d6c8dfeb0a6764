/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every row as a matrix that is transposed: from one program's order of a patch's values to another's.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "transpose", .inputs = "x", .id = MDM_OP_TRANSPOSE};

mdm_val mdm_transpose(struct mdm_graph *g, mdm_val x, int64_t rows)
{
    mdm_val in[] = {x};
    struct mdm_shape xs = mdm_graph_shape(g, x);
    struct mdm_node *n = mdm_graph_node(g, &op, 1, in);

    if (!n)
        return MDM_NONE;
    if (rows < 1 || mdm_shape_last(&xs) % rows)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "transpose: rows of %lld are no matrices of %lld rows",
                              (long long)mdm_shape_last(&xs), (long long)rows);
    n->attr[0] = rows;
    return mdm_graph_result(g, MDM_ACT, xs);
}
