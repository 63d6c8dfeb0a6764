/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sequence of tokens: extra ones, then the visible patches, each plus its position's row.
 */
#include "ops/ops.h"

enum { FIRST = 3, MOST = MDM_MAX_IN - FIRST }; /* inputs before the extra ones, and how many those may be */

static const struct mdm_op op = {
    .name = "tokens", .inputs = "x position index a? b? c?", .id = MDM_OP_TOKENS, .reads_in = 1u << 2,
    .weights = 1u << 1};

/* Tokens before the patches, or -1 with the failure kept. */
static int64_t count_extra(struct mdm_graph *g, const mdm_val *extra, int count, const struct mdm_shape *x)
{
    int64_t sum = 0;

    for (int i = 0; i < count; i++) {
        struct mdm_shape s = mdm_graph_shape(g, extra[i]);

        if (s.n < 2 || s.n > 3 || s.d[0] != x->d[0] || mdm_shape_last(&s) != x->d[2]) {
            mdm_graph_fail(g, MASKDM_ESHAPE, "tokens: extra tokens of %lld x %lld before patches of %lld x %lld",
                           (long long)s.d[0], (long long)mdm_shape_last(&s), (long long)x->d[0], (long long)x->d[2]);
            return -1;
        }
        sum += s.n == 3 ? s.d[1] : 1;
    }
    return sum;
}

mdm_val mdm_tokens(struct mdm_graph *g, const mdm_val *extra, int count, mdm_val x, mdm_val position, mdm_val index)
{
    mdm_val in[MDM_MAX_IN] = {x, position, index, MDM_NONE, MDM_NONE, MDM_NONE};
    struct mdm_shape xs = mdm_graph_shape(g, x), ps = mdm_graph_shape(g, position), ks = mdm_graph_shape(g, index);
    int64_t extras;

    if (count < 0 || count > MOST)
        return mdm_graph_fail(g, MASKDM_EINVAL, "tokens: %d kinds of extra tokens, more than %d", count, MOST);
    for (int i = 0; i < count; i++)
        in[FIRST + i] = extra[i];
    if (!mdm_graph_node(g, &op, FIRST + count, in))
        return MDM_NONE;
    if (xs.n != 3)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "tokens: patches of %d dimensions", xs.n);
    extras = count_extra(g, extra, count, &xs);
    if (extras < 0)
        return MDM_NONE;
    if (ks.n != 2 || ks.d[0] != xs.d[0] || ks.d[1] != xs.d[1])
        return mdm_graph_fail(g, MASKDM_ESHAPE, "tokens: index[%lld,%lld] for patches [%lld,%lld]",
                              (long long)ks.d[0], (long long)ks.d[1], (long long)xs.d[0], (long long)xs.d[1]);
    if (ps.n < 2 || mdm_shape_last(&ps) != xs.d[2] || mdm_shape_rows(&ps) < extras + xs.d[1])
        return mdm_graph_fail(g, MASKDM_ESHAPE, "tokens: %lld positions of %lld for %lld tokens of %lld",
                              (long long)mdm_shape_rows(&ps), (long long)mdm_shape_last(&ps),
                              (long long)(extras + xs.d[1]), (long long)xs.d[2]);
    return mdm_graph_result(g, MDM_ACT, mdm_shape3(xs.d[0], extras + xs.d[1], xs.d[2]));
}
