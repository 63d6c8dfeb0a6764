/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467), scaled and shifted by columns of the image's row of m.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "rms_modulate",
                                 .inputs = "x w m",
                                 .id = MDM_OP_RMS_MODULATE,
                                 .reads_in = 1u << 0 | 1u << 1 | 1u << 2,
                                 .reads_out = 1u << 1,
                                 .weights = 1u << 1,
                                 .remade_out = 1u << 0,
                                 .remake_in = 1u << 0 | 1u << 1 | 1u << 2};

mdm_val mdm_rms_modulate(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val m, int64_t scale, int64_t shift,
                         double epsilon)
{
    mdm_val in[] = {x, w, m}, y;
    struct mdm_shape xs = mdm_graph_shape(g, x), ws = mdm_graph_shape(g, w), ms = mdm_graph_shape(g, m);
    const int64_t d = mdm_shape_last(&xs), most = scale > shift ? scale : shift, least = scale + shift - most;
    struct mdm_node *n = mdm_graph_node(g, &op, 3, in);

    if (!n)
        return MDM_NONE;
    if (xs.n != 3 || mdm_shape_numel(&ws) != d)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "rms_modulate: x has rows of %lld, w has %lld elements", (long long)d,
                              (long long)mdm_shape_numel(&ws));
    if (ms.n != 2 || ms.d[0] != xs.d[0] || least < 0 || most >= ms.d[1] / d)
        return mdm_graph_fail(g, MASKDM_ESHAPE,
                              "rms_modulate: %lld images of rows of %lld, and rows %lld and %lld of m[%lld,%lld]",
                              (long long)xs.d[0], (long long)d, (long long)scale, (long long)shift,
                              (long long)ms.d[0], (long long)mdm_shape_last(&ms));
    n->attr[0] = scale * d;
    n->attr[1] = shift * d;
    n->constant[0] = epsilon;
    y = mdm_graph_result(g, MDM_ACT, xs);
    mdm_graph_result(g, MDM_AUX, mdm_shape1(mdm_shape_rows(&xs)));
    return y;
}
