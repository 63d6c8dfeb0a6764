/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sinusoidal embedding of the diffusion time.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "timestep", .inputs = "t", .id = MDM_OP_TIMESTEP};

mdm_val mdm_timestep(struct mdm_graph *g, mdm_val t, int64_t width, int exact)
{
    struct mdm_shape s = mdm_graph_shape(g, t);
    struct mdm_node *n = mdm_graph_node(g, &op, 1, &t);

    if (!n)
        return MDM_NONE;
    n->attr[0] = exact;
    if (s.n != 1 || width < 2 || width % 2)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "timestep: t has %d dimensions, the width is %lld", s.n,
                              (long long)width);
    return mdm_graph_result(g, MDM_ACT, mdm_shape2(s.d[0], width));
}
