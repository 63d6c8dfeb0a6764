/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Between float and the type of a program, where images enter and predictions leave.
 */
#include "ops/ops.h"

static const struct mdm_op op_narrow = {.name = "narrow", .inputs = "x", .id = MDM_OP_NARROW};
static const struct mdm_op op_widen = {.name = "widen", .inputs = "x", .id = MDM_OP_WIDEN, .wide_out = 1u << 0};

static mdm_val record(struct mdm_graph *g, const struct mdm_op *op, mdm_val x)
{
    return mdm_graph_node(g, op, 1, &x) ? mdm_graph_result(g, MDM_ACT, mdm_graph_shape(g, x)) : MDM_NONE;
}

mdm_val mdm_narrow(struct mdm_graph *g, mdm_val x)
{
    return record(g, &op_narrow, x);
}

mdm_val mdm_widen(struct mdm_graph *g, mdm_val x)
{
    return record(g, &op_widen, x);
}
