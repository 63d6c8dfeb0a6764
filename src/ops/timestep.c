/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sinusoidal embedding of the diffusion time.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "timestep", .inputs = "t", .id = MDM_OP_TIMESTEP};

static mdm_val record(struct mdm_graph *g, mdm_val t, int64_t width, int exact, int sines_first, double shift)
{
    struct mdm_shape s = mdm_graph_shape(g, t);
    struct mdm_node *n = mdm_graph_node(g, &op, 1, &t);

    if (!n)
        return MDM_NONE;
    n->attr[0] = exact;
    n->attr[1] = sines_first;
    n->constant[0] = shift;
    if (s.n != 1 || width < 2 || width % 2 || (double)(width / 2) <= shift)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "timestep: t has %d dimensions, the width is %lld", s.n,
                              (long long)width);
    return mdm_graph_result(g, MDM_ACT, mdm_shape2(s.d[0], width));
}

mdm_val mdm_timestep(struct mdm_graph *g, mdm_val t, int64_t width, int exact)
{
    return record(g, t, width, exact, 0, 0);
}

mdm_val mdm_timestep_spaced(struct mdm_graph *g, mdm_val t, int64_t width, int sines_first, double shift)
{
    return record(g, t, width, 1, sines_first, shift);
}
