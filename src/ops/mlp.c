/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A transformer's perceptron, whose middle is its widest value. A backend may have a way of its own for the whole of
 * it, which keeps what is before and behind the activation; elsewhere, and where memory is dear, it is three
 * operations, of which the activation is made anew in backward.
 */
#include "ops/ops.h"

enum { X, W1, B1, W2, B2, INS };

static double flops(const struct mdm_graph *g, const struct mdm_node *n, int backward)
{
    const double rows = (double)g->val[n->in[X]].numel / (double)mdm_shape_last(&g->val[n->in[X]].shape);
    const double first = 2 * rows * (double)g->val[n->in[W1]].numel;
    const double second = 2 * rows * (double)g->val[n->in[W2]].numel;
    const int into_first = mdm_graph_flows(g, n->in[X]) + mdm_graph_flows(g, n->in[W1]);
    const int before = into_first || (n->in[B1] >= 0 && mdm_graph_flows(g, n->in[B1]));

    return backward ? first * into_first + second * (before + mdm_graph_flows(g, n->in[W2])) : first + second;
}

static const struct mdm_op op_mlp = {.name = "mlp",
                                     .inputs = "x w1 b1? w2 b2?",
                                     .id = MDM_OP_MLP,
                                     .reads_in = 1u << X | 1u << W1 | 1u << W2,
                                     .reads_out = 1u << 1 | 1u << 2,
                                     .weights = 1u << W1 | 1u << B1 | 1u << W2 | 1u << B2,
                                     .narrow_aux = 1u << 1 | 1u << 2,
                                     .flops = flops};

static int has_kernel(const struct mdm_graph *g)
{
    const struct mdm_kernel *k = g->backend->v->kernel(g->backend, MDM_OP_MLP, g->dtype);

    return k && k->forward;
}

/* Whether w makes rows from rows of `width`, and b fits them. */
static int check_layer(struct mdm_graph *g, const char *which, int64_t width, mdm_val w, mdm_val b)
{
    const struct mdm_shape ws = mdm_graph_shape(g, w), bs = mdm_graph_shape(g, b);
    const int64_t made = ws.n == 2 ? ws.d[0] : 0;

    if (ws.n == 2 && ws.d[1] == width && (b == MDM_NONE || mdm_shape_numel(&bs) == made))
        return 1;
    mdm_graph_fail(g, MASKDM_ESHAPE,
                   "mlp, %s layer: rows of %lld, w makes rows of %lld from rows of %lld, b has %lld", which,
                   (long long)width, (long long)made, (long long)mdm_shape_last(&ws),
                   (long long)mdm_shape_numel(&bs));
    return 0;
}

mdm_val mdm_mlp(struct mdm_graph *g, mdm_val x, const struct mdm_perceptron *p)
{
    const mdm_val in[INS] = {x, p->w1, p->b1, p->w2, p->b2};
    struct mdm_shape s = mdm_graph_shape(g, x);
    struct mdm_node *n;
    mdm_val y;

    if (!g->keeps || !has_kernel(g)) {
        y = mdm_linear(g, x, p->w1, p->b1);
        return mdm_linear(g, p->tanh ? mdm_gelu_tanh(g, y) : mdm_gelu(g, y), p->w2, p->b2);
    }
    n = mdm_graph_node(g, &op_mlp, INS, in);
    if (!n)
        return MDM_NONE;
    n->attr[0] = p->tanh;
    if (!check_layer(g, "first", mdm_shape_last(&s), p->w1, p->b1) ||
        !check_layer(g, "second", mdm_graph_shape(g, p->w1).d[0], p->w2, p->b2))
        return MDM_NONE;
    s.d[s.n - 1] = mdm_graph_shape(g, p->w2).d[0];
    y = mdm_graph_result(g, MDM_ACT, s);
    s.d[s.n - 1] = mdm_graph_shape(g, p->w1).d[0];
    mdm_graph_result(g, MDM_AUX, s);
    mdm_graph_result(g, MDM_AUX, s);
    return y;
}
