/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images of twice and of half the size. The larger one is made anew in backward.
 */
#include "ops/ops.h"

static const struct mdm_op op_upsample = {
    .name = "upsample", .inputs = "x", .id = MDM_OP_UPSAMPLE, .remade_out = 1u << 0, .remake_in = 1u << 0};
static const struct mdm_op op_downsample = {.name = "downsample", .inputs = "x", .id = MDM_OP_DOWNSAMPLE};

mdm_val mdm_upsample(struct mdm_graph *g, mdm_val x)
{
    struct mdm_shape s = mdm_graph_shape(g, x);

    if (!mdm_graph_node(g, &op_upsample, 1, &x))
        return MDM_NONE;
    if (s.n != 4)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "upsample: x has %d dimensions", s.n);
    return mdm_graph_result(g, MDM_ACT, mdm_shape4(s.d[0], 2 * s.d[1], 2 * s.d[2], s.d[3]));
}

mdm_val mdm_downsample(struct mdm_graph *g, mdm_val x)
{
    struct mdm_shape s = mdm_graph_shape(g, x);

    if (!mdm_graph_node(g, &op_downsample, 1, &x))
        return MDM_NONE;
    if (s.n != 4 || s.d[1] % 2 || s.d[2] % 2)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "downsample: %lld x %lld pixels are not even", (long long)s.d[1],
                              (long long)s.d[2]);
    return mdm_graph_result(g, MDM_ACT, mdm_shape4(s.d[0], s.d[1] / 2, s.d[2] / 2, s.d[3]));
}
