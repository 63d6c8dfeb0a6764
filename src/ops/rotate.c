/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rotary positions in two dimensions (Su et al. 2021, arXiv 2104.09864). angles: by what the places of a grid turn
 * the pairs of a head, half of them for the row, half for the column; made once for all blocks. qk_rotate: queries
 * and keys made ready for attention by each head's RMSNorm and then by turning; its result is made anew in backward,
 * since attention reads it there, and the projection before it is kept anyway.
 */
#include "ops/ops.h"

static const struct mdm_op op_angles = {
    .name = "angles", .inputs = "index keep?", .id = MDM_OP_ANGLES, .wide_out = 1u << 0};

mdm_val mdm_angles(struct mdm_graph *g, mdm_val index, mdm_val keep, int64_t rows, int64_t columns, int64_t width)
{
    mdm_val in[] = {index, keep};
    struct mdm_shape is = mdm_graph_shape(g, index), ks = mdm_graph_shape(g, keep);
    struct mdm_node *n = mdm_graph_node(g, &op_angles, 2, in);

    if (!n)
        return MDM_NONE;
    if (is.n != 2 || rows < 1 || columns < 1 || is.d[1] > rows * columns || width < 4 || width % 4)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "angles: %lld places of a grid of %lld x %lld, heads of %lld",
                              (long long)mdm_shape_last(&is), (long long)rows, (long long)columns, (long long)width);
    if (keep != MDM_NONE && (ks.n != 2 || ks.d[0] != is.d[0] || ks.d[1] > is.d[1]))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "angles: keep[%lld,%lld] of index[%lld,%lld]", (long long)ks.d[0],
                              (long long)mdm_shape_last(&ks), (long long)is.d[0], (long long)is.d[1]);
    n->attr[0] = rows;
    n->attr[1] = columns;
    return mdm_graph_result(g, MDM_ACT, mdm_shape3(is.d[0], keep == MDM_NONE ? is.d[1] : ks.d[1], width));
}

enum { QKV = 1u << 0, Q = 1u << 1, K = 1u << 2, ANGLES = 1u << 3 };

static const struct mdm_op op_qk_rotate = {.name = "qk_rotate",
                                           .inputs = "qkv q? k? angles",
                                           .id = MDM_OP_QK_ROTATE,
                                           .reads_in = QKV | Q | K | ANGLES,
                                           .reads_out = 1u << 1,
                                           .weights = Q | K,
                                           .remade_out = 1u << 0,
                                           .remake_in = QKV | Q | K | ANGLES};

mdm_val mdm_qk_rotate(struct mdm_graph *g, mdm_val qkv, mdm_val q, mdm_val k, mdm_val angles, int64_t heads,
                      double epsilon)
{
    mdm_val in[] = {qkv, q, k, angles}, y;
    struct mdm_shape s = mdm_graph_shape(g, qkv), qs = mdm_graph_shape(g, q), ks = mdm_graph_shape(g, k),
                     as = mdm_graph_shape(g, angles);
    struct mdm_node *n = mdm_graph_node(g, &op_qk_rotate, 4, in);
    int64_t width;

    if (!n)
        return MDM_NONE;
    if (s.n != 3 || heads < 1 || s.d[2] % (3 * heads))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "qk_rotate: qkv has %d dimensions and rows of %lld for %lld heads",
                              s.n, (long long)mdm_shape_last(&s), (long long)heads);
    width = s.d[2] / 3 / heads;
    if ((q != MDM_NONE && mdm_shape_numel(&qs) != width) || (k != MDM_NONE && mdm_shape_numel(&ks) != width))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "qk_rotate: q has %lld elements and k has %lld for heads of %lld",
                              (long long)mdm_shape_numel(&qs), (long long)mdm_shape_numel(&ks), (long long)width);
    if (as.n != 3 || as.d[0] != s.d[0] || as.d[1] > s.d[1] || as.d[2] != width || width % 2)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "qk_rotate: angles[%lld,%lld,%lld] for %lld tokens in heads of %lld",
                              (long long)as.d[0], (long long)as.d[1], (long long)as.d[2], (long long)s.d[1],
                              (long long)width);
    n->attr[0] = heads;
    n->constant[0] = epsilon;
    y = mdm_graph_result(g, MDM_ACT, s);
    mdm_graph_result(g, MDM_AUX, mdm_shape3(s.d[0], s.d[1], 2 * heads));
    return y;
}
