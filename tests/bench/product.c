/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The distinct products of a step, and how often each occurs.
 */
#include "floor.h"

#include "graph/graph.h"

static void add(struct products *l, int ta, int tb, int64_t m, int64_t n, int64_t k, int64_t times, int per_head)
{
    struct product p = {ta, tb, m, n, k, times, per_head};

    for (int i = 0; i < l->count; i++) {
        struct product *q = &l->p[i];

        if (q->ta == ta && q->tb == tb && q->m == m && q->n == n && q->k == k && q->per_head == per_head) {
            q->times += times;
            return;
        }
    }
    if (l->count < MAX_PRODUCTS)
        l->p[l->count++] = p;
    else
        l->whole = 0;
}

/* y[rows,out] = x[rows,in] w'; dx = dy w; dw = dy' x */
static void add_linear(struct products *l, int64_t rows, int64_t out, int64_t in, int64_t times, int train, int dx)
{
    add(l, 0, 1, rows, out, in, times, 0);
    if (train && dx)
        add(l, 0, 0, rows, in, out, times, 0);
    if (train)
        add(l, 1, 0, out, in, rows, times, 0);
}

static void add_attention(struct products *l, int64_t tokens, int64_t head, int64_t units, int train)
{
    add(l, 0, 1, tokens, tokens, head, units * (train ? 2 : 1), 1); /* scores; dP */
    add(l, 0, 0, tokens, head, tokens, units * (train ? 2 : 1), 1); /* P v; dQ */
    if (train)
        add(l, 1, 0, tokens, head, tokens, units * 2, 1); /* dV, dK */
}

/* The windows of x by w. dx has as many sums as y of as many terms, whose shape is told by x. */
static void add_conv(struct products *l, const struct mdm_graph *g, const struct mdm_node *n)
{
    const struct mdm_shape *x = &g->val[n->in[0]].shape, *w = &g->val[n->in[1]].shape;
    const int64_t rows = mdm_shape_rows(&g->val[n->out[0]].shape), out = w->d[0], in = mdm_shape_numel(w) / out;
    const int64_t pixels = mdm_shape_rows(x);

    add(l, 0, 1, rows, out, in, 1, 0);
    if (n->backward && mdm_graph_flows(g, n->in[0]))
        add(l, 0, 0, pixels, w->d[1], rows * out * in / (pixels * w->d[1]), 1, 0);
    if (n->backward)
        add(l, 1, 0, out, in, rows, 1, 0);
}

static void add_node(struct products *l, const struct mdm_graph *g, const struct mdm_node *n)
{
    const struct mdm_shape *x = &g->val[n->in[0]].shape, *y = &g->val[n->out[0]].shape;

    if (n->op->id == MDM_OP_ATTENTION)
        add_attention(l, mdm_shape_rows(y) / y->d[0], mdm_shape_last(y) / n->attr[0], y->d[0] * n->attr[0],
                      n->backward);
    else if (n->op->id == MDM_OP_CONV)
        add_conv(l, g, n);
    else if (n->op->id == MDM_OP_LINEAR || n->op->id == MDM_OP_LINEAR_SILU)
        add_linear(l, mdm_shape_rows(x), mdm_shape_last(y), mdm_shape_last(x), 1, n->backward,
                   mdm_graph_flows(g, n->in[0]));
    else if (n->op->flops)
        l->whole = 0;
}

int list_program(struct products *l, const struct mdm_graph *g)
{
    *l = (struct products){.whole = 1};
    for (int i = 0; i < g->n_node; i++)
        add_node(l, g, &g->node[i]);
    return l->whole ? 0 : -1;
}

void list_products(struct products *l, const struct workload *w, int64_t visible, int train)
{
    const int64_t d = w->dim, head = 64, tokens = visible + 1, rows = w->batch * tokens, patch = 3 * 4 * 4;
    const int64_t skips = w->blocks / 2, units = w->batch * (d / head) * w->blocks;

    *l = (struct products){.whole = 1};
    add_linear(l, w->batch * visible, d, patch, 1, train, 0);
    add_linear(l, rows, 3 * d, d, w->blocks, train, 1);
    add_linear(l, rows, d, d, w->blocks, train, 1);
    add_linear(l, rows, 4 * d, d, w->blocks, train, 1);
    add_linear(l, rows, d, 4 * d, w->blocks, train, 1);
    add_linear(l, rows, d, 2 * d, skips, train, 1);
    add_linear(l, w->batch * visible, patch, d, 1, train, 1);
    add_attention(l, tokens, head, units, train);
}

double products_flops(const struct products *l)
{
    double sum = 0;

    for (int i = 0; i < l->count; i++)
        sum += 2.0 * (double)l->p[i].m * (double)l->p[i].n * (double)l->p[i].k * (double)l->p[i].times;
    return sum;
}
