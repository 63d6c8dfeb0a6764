/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A whole sequence out of the tokens that went through a stretch of a network, with one vector in the place of all
 * others, and in every place of an image of which nothing shall come from there.
 */
#include "ops/ops.h"

static const struct mdm_op op = {
    .name = "fill", .inputs = "filler y? keep? dropped?", .id = MDM_OP_FILL, .reads_in = 1u << 2 | 1u << 3,
    .weights = 1u << 0};

static int fits(const struct mdm_shape *y, const struct mdm_shape *keep, const struct mdm_shape *dropped,
                const struct mdm_shape *whole, int64_t extras)
{
    const int64_t patches = whole->d[1] - extras, kept = keep->n ? keep->d[1] : patches;

    if (whole->n != 3 || extras < 0 || patches < 0 || (keep->n && (keep->n != 2 || keep->d[0] != whole->d[0])))
        return 0;
    if (y->n && (y->n != 3 || y->d[0] != whole->d[0] || y->d[1] != extras + kept || y->d[2] != whole->d[2]))
        return 0;
    return kept <= patches && (y->n || !keep->n) && (!dropped->n || mdm_shape_numel(dropped) == whole->d[0]);
}

mdm_val mdm_fill(struct mdm_graph *g, mdm_val filler, mdm_val y, mdm_val keep, mdm_val dropped,
                 struct mdm_shape whole, int64_t extras)
{
    mdm_val in[] = {filler, y, keep, dropped};
    struct mdm_shape fs = mdm_graph_shape(g, filler), ys = mdm_graph_shape(g, y), ks = mdm_graph_shape(g, keep),
                     ds = mdm_graph_shape(g, dropped);
    struct mdm_node *n = mdm_graph_node(g, &op, 4, in);

    if (!n)
        return MDM_NONE;
    if (mdm_shape_numel(&fs) != mdm_shape_last(&whole) || !fits(&ys, &ks, &ds, &whole, extras))
        return mdm_graph_fail(
            g, MASKDM_ESHAPE,
            "fill: y[%lld,%lld,%lld], keep[%lld,%lld] and a filler of %lld for [%lld,%lld,%lld], %lld "
            "others in front",
            (long long)ys.d[0], (long long)ys.d[1], (long long)ys.d[2], (long long)ks.d[0], (long long)ks.d[1],
            (long long)mdm_shape_numel(&fs), (long long)whole.d[0], (long long)whole.d[1], (long long)whole.d[2],
            (long long)extras);
    n->attr[0] = extras;
    return mdm_graph_result(g, MDM_ACT, whole);
}
