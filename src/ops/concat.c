/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rows of two or three values side by side, or images behind one another, which is the same of longer rows.
 * Backward reads none of them, so that they may give up their bytes.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "concat", .inputs = "x s t?", .id = MDM_OP_CONCAT};

mdm_val mdm_concat(struct mdm_graph *g, mdm_val x, mdm_val s, mdm_val t)
{
    mdm_val in[] = {x, s, t};
    struct mdm_shape sum = mdm_graph_shape(g, x);

    if (!mdm_graph_node(g, &op, 3, in))
        return MDM_NONE;
    for (int k = 1; k < 3 && in[k] != MDM_NONE; k++) {
        struct mdm_shape ks = mdm_graph_shape(g, in[k]);
        int same = sum.n > 0 && ks.n == sum.n;

        for (int i = 0; same && i < sum.n - 1; i++)
            same = ks.d[i] == sum.d[i];
        if (!same)
            return mdm_graph_fail(g, MASKDM_ESHAPE, "concat: rows of %lld beside rows of %lld, %lld of them and %lld",
                                  (long long)mdm_shape_last(&sum), (long long)mdm_shape_last(&ks),
                                  (long long)mdm_shape_rows(&sum), (long long)mdm_shape_rows(&ks));
        sum.d[sum.n - 1] += mdm_shape_last(&ks);
    }
    return mdm_graph_result(g, MDM_ACT, sum);
}

mdm_val mdm_join(struct mdm_graph *g, mdm_val x, mdm_val y)
{
    mdm_val in[] = {x, y};
    struct mdm_shape a = mdm_graph_shape(g, x), b = mdm_graph_shape(g, y);
    struct mdm_node *n = mdm_graph_node(g, &op, 2, in);

    if (!n)
        return MDM_NONE;
    n->attr[0] = 1;
    if (a.n != 3 || b.n != 3 || a.d[0] != b.d[0])
        return mdm_graph_fail(g, MASKDM_ESHAPE, "concat: %lld images of %d dimensions and %lld of %d",
                              (long long)a.d[0], a.n, (long long)b.d[0], b.n);
    if (a.d[2] == b.d[2])
        return mdm_graph_result(g, MDM_ACT, mdm_shape3(a.d[0], a.d[1] + b.d[1], a.d[2]));
    return mdm_graph_result(g, MDM_ACT, mdm_shape2(a.d[0], a.d[1] * a.d[2] + b.d[1] * b.d[2]));
}
