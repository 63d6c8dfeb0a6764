/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sequence of tokens: one or two extra ones, then the visible patches, each plus its position's row.
 */
#include "ops/ops.h"

static const struct mdm_op op = {
    .name = "tokens", .inputs = "a c? x position index", .id = MDM_OP_TOKENS, .reads_in = 1u << 4};

mdm_val mdm_tokens(struct mdm_graph *g, mdm_val a, mdm_val c, mdm_val x, mdm_val position, mdm_val index)
{
    mdm_val in[] = {a, c, x, position, index};
    struct mdm_shape as = mdm_graph_shape(g, a), cs = mdm_graph_shape(g, c), xs = mdm_graph_shape(g, x),
                     ps = mdm_graph_shape(g, position), ks = mdm_graph_shape(g, index);
    int64_t extras = c == MDM_NONE ? 1 : 2;

    if (!mdm_graph_node(g, &op, 5, in))
        return MDM_NONE;
    if (xs.n != 3 || as.n != 2 || as.d[0] != xs.d[0] || as.d[1] != xs.d[2] ||
        (c != MDM_NONE && !mdm_shape_equal(&as, &cs)))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "tokens: extra tokens of %lld x %lld before patches of %lld x %lld",
                              (long long)as.d[0], (long long)as.d[1], (long long)xs.d[0], (long long)xs.d[2]);
    if (ks.n != 2 || ks.d[0] != xs.d[0] || ks.d[1] != xs.d[1])
        return mdm_graph_fail(g, MASKDM_ESHAPE, "tokens: index[%lld,%lld] for patches [%lld,%lld]",
                              (long long)ks.d[0], (long long)ks.d[1], (long long)xs.d[0], (long long)xs.d[1]);
    if (ps.n < 2 || mdm_shape_last(&ps) != xs.d[2] || mdm_shape_rows(&ps) < extras + xs.d[1])
        return mdm_graph_fail(g, MASKDM_ESHAPE, "tokens: %lld positions of %lld for %lld tokens of %lld",
                              (long long)mdm_shape_rows(&ps), (long long)mdm_shape_last(&ps),
                              (long long)(extras + xs.d[1]), (long long)xs.d[2]);
    return mdm_graph_result(g, MDM_ACT, mdm_shape3(xs.d[0], extras + xs.d[1], xs.d[2]));
}
