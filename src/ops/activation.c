/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Activations, element by element. gelu and gelu_tanh make a transformer's widest value: it is made anew in backward,
 * so that x alone is kept.
 */
#include "ops/ops.h"

#define ACTIVATION(NAME, ID) \
    {.name = NAME, .inputs = "x", .id = ID, .reads_in = 1u << 0, .remade_out = 1u << 0, .remake_in = 1u << 0}

static const struct mdm_op op_gelu = ACTIVATION("gelu", MDM_OP_GELU);
static const struct mdm_op op_gelu_tanh = ACTIVATION("gelu_tanh", MDM_OP_GELU_TANH);
static const struct mdm_op op_silu = ACTIVATION("silu", MDM_OP_SILU);

/* Its result tells as much as x: that is kept anyway for who reads it next. */
static const struct mdm_op op_relu = {.name = "relu", .inputs = "x", .id = MDM_OP_RELU, .reads_out = 1u << 0};

static mdm_val record(struct mdm_graph *g, const struct mdm_op *op, mdm_val x)
{
    if (!mdm_graph_node(g, op, 1, &x))
        return MDM_NONE;
    return mdm_graph_result(g, MDM_ACT, mdm_graph_shape(g, x));
}

mdm_val mdm_gelu(struct mdm_graph *g, mdm_val x)
{
    return record(g, &op_gelu, x);
}

mdm_val mdm_gelu_tanh(struct mdm_graph *g, mdm_val x)
{
    return record(g, &op_gelu_tanh, x);
}

mdm_val mdm_silu(struct mdm_graph *g, mdm_val x)
{
    return record(g, &op_silu, x);
}

mdm_val mdm_relu(struct mdm_graph *g, mdm_val x)
{
    return record(g, &op_relu, x);
}
