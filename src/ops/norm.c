/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LayerNorm over the last dimension, alone or after a residual sum; weight and bias may be absent.
 */
#include "ops/ops.h"

static const struct mdm_op op_layernorm = {.name = "layernorm",
                                           .inputs = "x w? b?",
                                           .id = MDM_OP_LAYERNORM,
                                           .reads_in = 1u << 0 | 1u << 1,
                                           .reads_out = 1u << 1,
                                           .weights = 1u << 1 | 1u << 2,
                                           .remade_out = 1u << 0,
                                           .remake_in = 1u << 0 | 1u << 1 | 1u << 2};

/* Backward looks at the sum and not at its terms, which may then give up their bytes; so does making y anew. */
static const struct mdm_op op_add_norm = {.name = "add_norm",
                                          .inputs = "x r w? b?",
                                          .id = MDM_OP_ADD_NORM,
                                          .reads_in = 1u << 2,
                                          .reads_out = 1u << 0 | 1u << 2,
                                          .optional_out = 1u << 0,
                                          .twins = 1u << 0 | 1u << 1,
                                          .weights = 1u << 2 | 1u << 3,
                                          .remade_out = 1u << 1,
                                          .remake_in = 1u << 2 | 1u << 3,
                                          .remake_out = 1u << 0};

static int check_affine(struct mdm_graph *g, const char *name, mdm_val x, mdm_val w, mdm_val b)
{
    struct mdm_shape xs = mdm_graph_shape(g, x), ws = mdm_graph_shape(g, w), bs = mdm_graph_shape(g, b);

    if (xs.n > 0 && (w == MDM_NONE || mdm_shape_numel(&ws) == mdm_shape_last(&xs)) &&
        (b == MDM_NONE || mdm_shape_numel(&bs) == mdm_shape_last(&xs)))
        return 1;
    mdm_graph_fail(g, MASKDM_ESHAPE, "%s: x has rows of %lld, w has %lld elements and b has %lld", name,
                   (long long)mdm_shape_last(&xs), (long long)mdm_shape_numel(&ws), (long long)mdm_shape_numel(&bs));
    return 0;
}

mdm_val mdm_layernorm(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b, double epsilon)
{
    mdm_val in[] = {x, w, b}, y;
    struct mdm_shape xs = mdm_graph_shape(g, x);
    struct mdm_node *n = mdm_graph_node(g, &op_layernorm, 3, in);

    if (!n || !check_affine(g, "layernorm", x, w, b))
        return MDM_NONE;
    n->constant[0] = epsilon;
    y = mdm_graph_result(g, MDM_ACT, xs);
    mdm_graph_result(g, MDM_AUX, mdm_shape2(mdm_shape_rows(&xs), 2));
    return y;
}

mdm_val mdm_add_norm(struct mdm_graph *g, mdm_val *sum, mdm_val x, mdm_val r, mdm_val w, mdm_val b, double epsilon)
{
    mdm_val in[] = {x, r, w, b}, y;
    struct mdm_shape xs = mdm_graph_shape(g, x), rs = mdm_graph_shape(g, r);
    struct mdm_node *n = mdm_graph_node(g, &op_add_norm, 4, in);

    *sum = MDM_NONE;
    if (!n || !check_affine(g, "add_norm", x, w, b))
        return MDM_NONE;
    n->constant[0] = epsilon;
    if (!mdm_shape_equal(&xs, &rs))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "add_norm: x is %lld x %lld, r is %lld x %lld",
                              (long long)mdm_shape_rows(&xs), (long long)mdm_shape_last(&xs),
                              (long long)mdm_shape_rows(&rs), (long long)mdm_shape_last(&rs));
    *sum = mdm_graph_result(g, MDM_ACT, xs);
    y = mdm_graph_result(g, MDM_ACT, xs);
    mdm_graph_result(g, MDM_AUX, mdm_shape2(mdm_shape_rows(&xs), 2));
    return y;
}
