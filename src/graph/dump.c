/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looking at a program: one line per operation, with what it costs.
 */
#include "graph/graph.h"
#include "text/text.h"

static void write_value(const struct mdm_graph *g, mdm_val v, struct mdm_text *out)
{
    const struct mdm_value *x;

    if (v < 0) {
        mdm_text_add(out, " -");
        return;
    }
    x = &g->val[v];
    mdm_text_addf(out, " %%%d[", v);
    for (int i = 0; i < x->shape.n; i++)
        mdm_text_addf(out, i ? ",%lld" : "%lld", (long long)x->shape.d[i]);
    mdm_text_add(out, "]");
    if (x->role == MDM_PARAM)
        mdm_text_addf(out, "=%s", g->layout->list[x->param].name);
}

static double node_flops(const struct mdm_graph *g, const struct mdm_node *n, int backward)
{
    return n->op->flops && (!backward || n->backward) ? n->op->flops(g, n, backward) : 0;
}

double mdm_graph_flops(const struct mdm_graph *g, int backward)
{
    double sum = 0;

    for (int i = 0; i < g->n_node; i++)
        sum += node_flops(g, &g->node[i], backward);
    return sum;
}

/* Bytes that the node's results and their gradients take, sharing left aside, and its scratch. */
static double node_bytes(const struct mdm_graph *g, const struct mdm_node *n)
{
    double bytes = (double)n->scratch_bytes;

    for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++) {
        const struct mdm_value *x = &g->val[n->out[k]];
        double size = (double)x->numel * (double)mdm_dtype_size(x->dtype);

        bytes += (x->at != SIZE_MAX ? size : 0) + (x->grad_at != SIZE_MAX ? size : 0);
    }
    return bytes;
}

/* The decimal point is the library's own, whatever the host's locale says. */
static void write_fixed(struct mdm_text *out, double x, int digits, const char *unit)
{
    long long scale = 1, n;

    for (int i = 0; i < digits; i++)
        scale *= 10;
    n = (long long)(x * (double)scale + 0.5);
    mdm_text_addf(out, " %lld.%0*lld %s", n / scale, digits, n % scale, unit);
}

void mdm_graph_dump(const struct mdm_graph *g, struct mdm_text *out)
{
    double seconds[2] = {0, 0};

    for (int i = 0; i < g->n_node; i++) {
        const struct mdm_node *n = &g->node[i];
        int last = MDM_MAX_IN;

        while (last > 0 && n->in[last - 1] < 0)
            last--;
        mdm_text_addf(out, "%4d %-12s", i, n->op->name);
        for (int k = 0; k < last; k++)
            write_value(g, n->in[k], out);
        mdm_text_add(out, " ->");
        for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++)
            write_value(g, n->out[k], out);
        mdm_text_add(out, " :");
        write_fixed(out, node_bytes(g, n) / 1024, 1, "KiB,");
        write_fixed(out, (node_flops(g, n, 0) + node_flops(g, n, 1)) * 1e-6, 3, "MFLOP");
        if (g->profiling) {
            write_fixed(out, n->seconds[0] * 1e3, 3, "ms forward");
            write_fixed(out, n->seconds[1] * 1e3, 3, "ms backward");
            seconds[0] += n->seconds[0];
            seconds[1] += n->seconds[1];
        }
        mdm_text_add(out, n->backward ? "\n" : " (forward only)\n");
    }
    mdm_text_addf(out, "%d operations, arena %zu bytes (%zu unshared),", g->n_node, g->arena_bytes,
                  g->unplanned_bytes);
    write_fixed(out, (mdm_graph_flops(g, 0) + mdm_graph_flops(g, 1)) * 1e-6, 3, "MFLOP");
    if (g->profiling) {
        write_fixed(out, seconds[0] * 1e3, 3, "ms forward");
        write_fixed(out, seconds[1] * 1e3, 3, "ms backward");
    }
    mdm_text_add(out, "\n");
}
