/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a condition does to an image's tokens: scale and shift of their norm, and a gate on what a branch adds. All of
 * them are columns of one row per image, so that a block has one projection of its condition.
 */
#include "ops/ops.h"

static const struct mdm_op op_modulate = {.name = "modulate",
                                          .inputs = "x m",
                                          .id = MDM_OP_MODULATE,
                                          .reads_in = 1u << 0 | 1u << 1,
                                          .reads_out = 1u << 1,
                                          .remade_out = 1u << 0,
                                          .remake_in = 1u << 0 | 1u << 1};

static const struct mdm_op op_gate_add = {
    .name = "gate_add", .inputs = "x r m", .id = MDM_OP_GATE_ADD, .reads_in = 1u << 1 | 1u << 2};

/* Whether x's images have a row of m each, with a row of x's width at each of the two places. */
static int check_places(struct mdm_graph *g, const char *name, mdm_val x, mdm_val m, int64_t first, int64_t second)
{
    struct mdm_shape xs = mdm_graph_shape(g, x), ms = mdm_graph_shape(g, m);
    int64_t d = mdm_shape_last(&xs), most = first > second ? first : second, least = first + second - most;

    if (xs.n == 3 && ms.n == 2 && ms.d[0] == xs.d[0] && least >= 0 && most < ms.d[1] / d)
        return 1;
    mdm_graph_fail(g, MASKDM_ESHAPE, "%s: %lld images of rows of %lld, and rows %lld and %lld of m[%lld,%lld]", name,
                   (long long)xs.d[0], (long long)d, (long long)first, (long long)second, (long long)ms.d[0],
                   (long long)ms.d[1]);
    return 0;
}

mdm_val mdm_modulate(struct mdm_graph *g, mdm_val x, mdm_val m, int64_t scale, int64_t shift, double epsilon)
{
    mdm_val in[] = {x, m}, y;
    struct mdm_shape xs = mdm_graph_shape(g, x);
    struct mdm_node *n = mdm_graph_node(g, &op_modulate, 2, in);

    if (!n || !check_places(g, "modulate", x, m, scale, shift))
        return MDM_NONE;
    n->attr[0] = scale * mdm_shape_last(&xs);
    n->attr[1] = shift * mdm_shape_last(&xs);
    n->constant[0] = epsilon;
    y = mdm_graph_result(g, MDM_ACT, xs);
    mdm_graph_result(g, MDM_AUX, mdm_shape2(mdm_shape_rows(&xs), 2));
    return y;
}

mdm_val mdm_gate_add(struct mdm_graph *g, mdm_val x, mdm_val r, mdm_val m, int64_t gate)
{
    mdm_val in[] = {x, r, m};
    struct mdm_shape xs = mdm_graph_shape(g, x), rs = mdm_graph_shape(g, r);
    struct mdm_node *n = mdm_graph_node(g, &op_gate_add, 3, in);

    if (!n || !check_places(g, "gate_add", x, m, gate, gate))
        return MDM_NONE;
    if (!mdm_shape_equal(&xs, &rs))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "gate_add: x is %lld x %lld, r is %lld x %lld",
                              (long long)mdm_shape_rows(&xs), (long long)mdm_shape_last(&xs),
                              (long long)mdm_shape_rows(&rs), (long long)mdm_shape_last(&rs));
    n->attr[0] = gate * mdm_shape_last(&xs);
    return mdm_graph_result(g, MDM_ACT, xs);
}
