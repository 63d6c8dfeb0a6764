/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = gelu(x), element by element. A transformer's widest value: made anew in backward, so that x alone is kept.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "gelu",
                                 .inputs = "x",
                                 .id = MDM_OP_GELU,
                                 .reads_in = 1u << 0,
                                 .remade_out = 1u << 0,
                                 .remake_in = 1u << 0};

mdm_val mdm_gelu(struct mdm_graph *g, mdm_val x)
{
    if (!mdm_graph_node(g, &op, 1, &x))
        return MDM_NONE;
    return mdm_graph_result(g, MDM_ACT, mdm_graph_shape(g, x));
}
