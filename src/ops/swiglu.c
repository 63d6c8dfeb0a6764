/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two halves of a row joined: silu of the first times the second (Shazeer 2020, arXiv 2002.05202). Cheap to make anew
 * from the row, as an activation's result is.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "swiglu",
                                 .inputs = "x",
                                 .id = MDM_OP_SWIGLU,
                                 .reads_in = 1u << 0,
                                 .remade_out = 1u << 0,
                                 .remake_in = 1u << 0};

mdm_val mdm_swiglu(struct mdm_graph *g, mdm_val x)
{
    struct mdm_shape s = mdm_graph_shape(g, x);

    if (!mdm_graph_node(g, &op, 1, &x))
        return MDM_NONE;
    if (s.n < 1 || s.d[s.n - 1] % 2)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "swiglu: rows of %lld have no halves", (long long)mdm_shape_last(&s));
    s.d[s.n - 1] /= 2;
    return mdm_graph_result(g, MDM_ACT, s);
}
