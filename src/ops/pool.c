/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows of an image to one pixel each.
 */
#include "ops/ops.h"

static const struct mdm_op op_max = {
    .name = "max_pool", .inputs = "x", .id = MDM_OP_MAX_POOL, .reads_in = 1u << 0, .reads_out = 1u << 0};
static const struct mdm_op op_average = {.name = "average_pool", .inputs = "x", .id = MDM_OP_AVERAGE_POOL};

static mdm_val record(struct mdm_graph *g, const struct mdm_op *op, mdm_val x, int64_t side, struct mdm_stride s)
{
    const struct mdm_shape xs = mdm_graph_shape(g, x);
    struct mdm_node *n = mdm_graph_node(g, op, 1, &x);
    int64_t down, across;

    if (!n)
        return MDM_NONE;
    n->attr[0] = s.step;
    n->attr[1] = s.before;
    n->attr[2] = s.after;
    n->attr[3] = side;
    if (xs.n != 4)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "%s: x has %d dimensions", op->name, xs.n);
    if (side < 1 || s.step < 1 || s.before < 0 || s.after < 0 || s.before >= side || s.after >= side)
        return mdm_graph_fail(g, MASKDM_ESHAPE,
                              "%s: windows of %lld, %lld apart, with %lld pixels before the image and %lld after",
                              op->name, (long long)side, (long long)s.step, (long long)s.before, (long long)s.after);
    down = mdm_stride_windows(s, xs.d[1], side);
    across = mdm_stride_windows(s, xs.d[2], side);
    if (down < 1 || across < 1)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "%s: no window of %lld fits %lld x %lld pixels", op->name,
                              (long long)side, (long long)xs.d[1], (long long)xs.d[2]);
    return mdm_graph_result(g, MDM_ACT, mdm_shape4(xs.d[0], down, across, xs.d[3]));
}

mdm_val mdm_max_pool(struct mdm_graph *g, mdm_val x, int64_t side, struct mdm_stride stride)
{
    return record(g, &op_max, x, side, stride);
}

mdm_val mdm_average_pool(struct mdm_graph *g, mdm_val x, int64_t side, struct mdm_stride stride)
{
    return record(g, &op_average, x, side, stride);
}
