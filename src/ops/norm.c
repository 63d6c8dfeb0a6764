/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LayerNorm over the last dimension, alone or after a residual sum.
 */
#include "ops/ops.h"

static const struct maskdm_op op_layernorm = {.name = "layernorm",
                                              .inputs = "x w b",
                                              .id = MASKDM_OP_LAYERNORM,
                                              .reads_in = 1u << 0 | 1u << 1,
                                              .reads_out = 1u << 1,
                                              .remade_out = 1u << 0,
                                              .remake_in = 1u << 0 | 1u << 1 | 1u << 2};

/* Backward looks at the sum and not at its terms, which may then give up their bytes; so does making y anew. */
static const struct maskdm_op op_add_norm = {.name = "add_norm",
                                             .inputs = "x r w b",
                                             .id = MASKDM_OP_ADD_NORM,
                                             .reads_in = 1u << 2,
                                             .reads_out = 1u << 0 | 1u << 2,
                                             .optional_out = 1u << 0,
                                             .remade_out = 1u << 1,
                                             .remake_in = 1u << 2 | 1u << 3,
                                             .remake_out = 1u << 0};

static int check_affine(struct maskdm_graph *g, const char *name, maskdm_val x, maskdm_val w, maskdm_val b)
{
    struct maskdm_shape xs = maskdm_graph_shape(g, x), ws = maskdm_graph_shape(g, w), bs = maskdm_graph_shape(g, b);

    if (xs.n > 0 && maskdm_shape_numel(&ws) == maskdm_shape_last(&xs) &&
        maskdm_shape_numel(&bs) == maskdm_shape_last(&xs))
        return 1;
    maskdm_graph_fail(g, MASKDM_ESHAPE, "%s: x has rows of %lld, w has %lld elements and b has %lld", name,
                      (long long)maskdm_shape_last(&xs), (long long)maskdm_shape_numel(&ws),
                      (long long)maskdm_shape_numel(&bs));
    return 0;
}

maskdm_val maskdm_layernorm(struct maskdm_graph *g, maskdm_val x, maskdm_val w, maskdm_val b)
{
    maskdm_val in[] = {x, w, b}, y;
    struct maskdm_shape xs = maskdm_graph_shape(g, x);

    if (!maskdm_graph_node(g, &op_layernorm, 3, in) || !check_affine(g, "layernorm", x, w, b))
        return MASKDM_NONE;
    y = maskdm_graph_result(g, MASKDM_ACT, xs);
    maskdm_graph_result(g, MASKDM_AUX, maskdm_shape2(maskdm_shape_rows(&xs), 2));
    return y;
}

maskdm_val maskdm_add_norm(struct maskdm_graph *g, maskdm_val *sum, maskdm_val x, maskdm_val r, maskdm_val w,
                           maskdm_val b)
{
    maskdm_val in[] = {x, r, w, b}, y;
    struct maskdm_shape xs = maskdm_graph_shape(g, x), rs = maskdm_graph_shape(g, r);

    *sum = MASKDM_NONE;
    if (!maskdm_graph_node(g, &op_add_norm, 4, in) || !check_affine(g, "add_norm", x, w, b))
        return MASKDM_NONE;
    if (!maskdm_shape_equal(&xs, &rs))
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "add_norm: x is %lld x %lld, r is %lld x %lld",
                                 (long long)maskdm_shape_rows(&xs), (long long)maskdm_shape_last(&xs),
                                 (long long)maskdm_shape_rows(&rs), (long long)maskdm_shape_last(&rs));
    *sum = maskdm_graph_result(g, MASKDM_ACT, xs);
    y = maskdm_graph_result(g, MASKDM_ACT, xs);
    maskdm_graph_result(g, MASKDM_AUX, maskdm_shape2(maskdm_shape_rows(&xs), 2));
    return y;
}
