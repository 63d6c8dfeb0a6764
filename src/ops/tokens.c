/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sequence of tokens: one or two extra ones, then the visible patches, each plus its position's row.
 */
#include "ops/ops.h"

static const struct maskdm_op op = {
    .name = "tokens", .inputs = "a c? x position index", .id = MASKDM_OP_TOKENS, .reads_in = 1u << 4};

maskdm_val maskdm_tokens(struct maskdm_graph *g, maskdm_val a, maskdm_val c, maskdm_val x, maskdm_val position,
                         maskdm_val index)
{
    maskdm_val in[] = {a, c, x, position, index};
    struct maskdm_shape as = maskdm_graph_shape(g, a), cs = maskdm_graph_shape(g, c), xs = maskdm_graph_shape(g, x),
                        ps = maskdm_graph_shape(g, position), ks = maskdm_graph_shape(g, index);
    int64_t extras = c == MASKDM_NONE ? 1 : 2;

    if (!maskdm_graph_node(g, &op, 5, in))
        return MASKDM_NONE;
    if (xs.n != 3 || as.n != 2 || as.d[0] != xs.d[0] || as.d[1] != xs.d[2] ||
        (c != MASKDM_NONE && !maskdm_shape_equal(&as, &cs)))
        return maskdm_graph_fail(g, MASKDM_ESHAPE,
                                 "tokens: extra tokens of %lld x %lld before patches of %lld x %lld",
                                 (long long)as.d[0], (long long)as.d[1], (long long)xs.d[0], (long long)xs.d[2]);
    if (ks.n != 2 || ks.d[0] != xs.d[0] || ks.d[1] != xs.d[1])
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "tokens: index[%lld,%lld] for patches [%lld,%lld]",
                                 (long long)ks.d[0], (long long)ks.d[1], (long long)xs.d[0], (long long)xs.d[1]);
    if (ps.n < 2 || maskdm_shape_last(&ps) != xs.d[2] || maskdm_shape_rows(&ps) < extras + xs.d[1])
        return maskdm_graph_fail(g, MASKDM_ESHAPE, "tokens: %lld positions of %lld for %lld tokens of %lld",
                                 (long long)maskdm_shape_rows(&ps), (long long)maskdm_shape_last(&ps),
                                 (long long)(extras + xs.d[1]), (long long)xs.d[2]);
    return maskdm_graph_result(g, MASKDM_ACT, maskdm_shape3(xs.d[0], extras + xs.d[1], xs.d[2]));
}
