/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GroupNorm, alone or before SiLU; weight, bias and an image's own scale and shift may be absent. What it makes is as
 * large as a convolution's input and is made anew in backward, so that x alone is kept.
 */
#include "ops/ops.h"

enum { X, W, B, M };

#define GROUP_NORM(NAME, ID)                                                                                         \
    {                                                                                                                \
        .name = NAME, .inputs = "x w? b? m?", .id = ID, .reads_in = 1u << X | 1u << W | 1u << B | 1u << M,           \
        .reads_out = 1u << 1, .remade_out = 1u << 0, .remake_in = 1u << X | 1u << W | 1u << B | 1u << M,             \
        .remake_out = 1u << 1, .weights = 1u << W | 1u << B                                                          \
    }

static const struct mdm_op op_group_norm = GROUP_NORM("group_norm", MDM_OP_GROUP_NORM);
static const struct mdm_op op_group_norm_silu = GROUP_NORM("group_norm_silu", MDM_OP_GROUP_NORM_SILU);

static int check_vector(struct mdm_graph *g, const char *name, int64_t channels, const char *what, mdm_val v)
{
    struct mdm_shape s = mdm_graph_shape(g, v);

    if (v == MDM_NONE || mdm_shape_numel(&s) == channels)
        return 1;
    mdm_graph_fail(g, MASKDM_ESHAPE, "%s: %s has %lld elements for %lld channels", name, what,
                   (long long)mdm_shape_numel(&s), (long long)channels);
    return 0;
}

static int check_affine(struct mdm_graph *g, const char *name, const struct mdm_shape *x, struct mdm_affine a)
{
    struct mdm_shape m = mdm_graph_shape(g, a.m);
    const int64_t channels = mdm_shape_last(x);

    if (!check_vector(g, name, channels, "w", a.w) || !check_vector(g, name, channels, "b", a.b))
        return 0;
    if (a.m == MDM_NONE || (m.n == 2 && m.d[0] == x->d[0] && m.d[1] == 2 * channels))
        return 1;
    mdm_graph_fail(g, MASKDM_ESHAPE, "%s: m is [%lld,%lld] for %lld images of %lld channels", name, (long long)m.d[0],
                   (long long)m.d[1], (long long)x->d[0], (long long)channels);
    return 0;
}

static mdm_val record(struct mdm_graph *g, const struct mdm_op *op, mdm_val x, struct mdm_affine a, int64_t groups,
                      double epsilon)
{
    mdm_val in[] = {x, a.w, a.b, a.m}, y;
    struct mdm_shape s = mdm_graph_shape(g, x);
    struct mdm_node *n = mdm_graph_node(g, op, 4, in);

    if (!n || !check_affine(g, op->name, &s, a))
        return MDM_NONE;
    n->attr[0] = groups;
    n->constant[0] = epsilon;
    if (s.n < 2 || groups < 1 || mdm_shape_last(&s) % groups)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "%s: %lld groups of %lld channels", op->name, (long long)groups,
                              (long long)mdm_shape_last(&s));
    y = mdm_graph_result(g, MDM_ACT, s);
    mdm_graph_result(g, MDM_AUX, mdm_shape3(s.d[0], groups, 2));
    return y;
}

mdm_val mdm_group_norm(struct mdm_graph *g, mdm_val x, struct mdm_affine affine, int64_t groups, double epsilon)
{
    return record(g, &op_group_norm, x, affine, groups, epsilon);
}

mdm_val mdm_group_norm_silu(struct mdm_graph *g, mdm_val x, struct mdm_affine affine, int64_t groups, double epsilon)
{
    return record(g, &op_group_norm_silu, x, affine, groups, epsilon);
}
