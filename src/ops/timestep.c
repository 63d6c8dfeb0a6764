/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sinusoidal embedding of the diffusion time.
 */
#include "ops/ops.h"

static const struct maskdm_op op = {.name = "timestep", .inputs = "t", .id = MASKDM_OP_TIMESTEP};

maskdm_val maskdm_timestep(struct maskdm_graph *g, maskdm_val t, int64_t width)
{
    struct maskdm_shape s = maskdm_graph_shape(g, t);

    if (!maskdm_graph_node(g, &op, 1, &t))
        return MASKDM_NONE;
    if (s.n != 1 || width < 2 || width % 2)
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "timestep: t has %d dimensions, the width is %lld", s.n,
                                 (long long)width);
    return maskdm_graph_result(g, MASKDM_ACT, maskdm_shape2(s.d[0], width));
}
