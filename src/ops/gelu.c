/* SPDX-License-Identifier: BSD-2-Clause
 *
 * y = gelu(x), element by element. A transformer's widest value: made anew in backward, so that x alone is kept.
 */
#include "ops/ops.h"

static const struct maskdm_op op = {.name = "gelu",
                                    .inputs = "x",
                                    .id = MASKDM_OP_GELU,
                                    .reads_in = 1u << 0,
                                    .remade_out = 1u << 0,
                                    .remake_in = 1u << 0};

maskdm_val maskdm_gelu(struct maskdm_graph *g, maskdm_val x)
{
    if (!maskdm_graph_node(g, &op, 1, &x))
        return MASKDM_NONE;
    return maskdm_graph_result(g, MASKDM_ACT, maskdm_graph_shape(g, x));
}
