/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of a program is used, whose gradient is wanted, and where gradients flow.
 */
#include "graph/plan.h"

static int refuse_value(const struct mdm_graph *g, const struct mdm_node *n, int v)
{
    const struct mdm_value *x = &g->val[v];

    if (x->role == MDM_PARAM)
        return mdm_fail(MASKDM_EINVAL, "nobody uses parameter %s", g->layout->list[x->param].name);
    if (n)
        return mdm_fail(MASKDM_EINVAL, "nobody uses value %d, a result of %s, operation %d", v, n->op->name,
                        (int)(n - g->node));
    return mdm_fail(MASKDM_EINVAL, "nobody uses input %d", v);
}

static int find_uses(struct mdm_plan *p)
{
    struct mdm_graph *g = p->g;

    for (int v = 0; v < g->n_val; v++)
        p->used[v] = (unsigned char)g->val[v].kept;
    for (int i = 0; i < g->n_node; i++)
        for (int k = 0; k < MDM_MAX_IN; k++)
            if (g->node[i].in[k] >= 0)
                p->used[g->node[i].in[k]] = 1;
    for (int v = 0; v < g->n_val; v++)
        if (!p->used[v] && (g->val[v].role == MDM_INPUT || g->val[v].role == MDM_PARAM))
            return refuse_value(g, NULL, v);
    for (int i = 0; i < g->n_node; i++) {
        const struct mdm_node *n = &g->node[i];

        for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++)
            if (!p->used[n->out[k]] && g->val[n->out[k]].role == MDM_ACT && !(n->op->optional_out >> k & 1))
                return refuse_value(g, n, n->out[k]);
    }
    return MASKDM_OK;
}

/* Forward: whose gradient somebody could want. */
static void find_wants(struct mdm_plan *p)
{
    struct mdm_graph *g = p->g;

    for (int v = 0; v < g->n_val; v++) {
        const struct mdm_value *x = &g->val[v];

        p->wants[v] = x->role == MDM_PARAM ? !g->layout->list[x->param].frozen : x->wants_gradient;
    }
    for (int i = 0; i < g->n_node; i++) {
        const struct mdm_node *n = &g->node[i];
        int any = 0;

        for (int k = 0; k < MDM_MAX_IN; k++)
            any |= n->in[k] >= 0 && p->wants[n->in[k]];
        for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++)
            p->wants[n->out[k]] = any && g->val[n->out[k]].role == MDM_ACT;
    }
}

/* Backward: where gradients flow, and which consumer writes and which ones add. The consumer that runs first
 * in the backward pass overwrites; walking the nodes from the end meets them in that order. */
static void find_flow(struct mdm_plan *p)
{
    struct mdm_graph *g = p->g;

    for (int v = 0; v < g->n_val; v++)
        p->reached[v] = p->train && p->wants[v] && g->val[v].kept;
    for (int i = g->n_node; i-- > 0;) {
        struct mdm_node *n = &g->node[i];

        n->backward = 0;
        n->remakes = 0;
        for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++)
            n->backward |= p->reached[n->out[k]];
        for (int k = 0; k < MDM_MAX_IN; k++) {
            int v = n->in[k];

            n->add[k] = v >= 0 && (p->reached[v] || (g->val[v].role == MDM_PARAM && p->wants[v]));
            if (v >= 0 && n->backward && p->wants[v])
                p->reached[v] = 1;
        }
    }
    for (int v = 0; v < g->n_val; v++)
        g->val[v].at = g->val[v].grad_at = g->val[v].again_at = SIZE_MAX;
    /* Parameters lie in a block; for them this only tells that backward adds to the gradient. */
    for (int v = 0; v < g->n_val; v++)
        if (g->val[v].role == MDM_PARAM && p->reached[v])
            g->val[v].grad_at = 0;
}

/* Whether the gradient of v, an operation's result, is that of its one consumer alone. */
static int has_one_part(const struct mdm_plan *p, int v)
{
    const struct mdm_value *x = &p->g->val[v];
    int parts = 0;

    if (!p->reached[v] || x->role != MDM_ACT || x->kept || x->wants_gradient)
        return 0;
    for (int i = x->node + 1; i < p->g->n_node; i++)
        for (int k = 0; p->g->node[i].backward && k < MDM_MAX_IN; k++)
            parts += p->g->node[i].in[k] == v;
    return parts == 1;
}

static void find_twins(struct mdm_plan *p)
{
    struct mdm_graph *g = p->g;

    for (int v = 0; v < g->n_val; v++)
        p->twin[v] = -1;
    for (int i = 0; i < g->n_node && !(g->flags & MDM_PLAN_UNSHARED); i++) {
        const struct mdm_node *n = &g->node[i];
        int first = -1;

        for (int k = 0; n->backward && n->op->twins && k < MDM_MAX_IN; k++)
            if (n->op->twins >> k & 1 && has_one_part(p, n->in[k])) {
                if (first >= 0)
                    p->twin[n->in[k]] = first;
                first = n->in[k];
            }
    }
}

/* Kernels know by the operation alone which gradients are wider than the program's type. */
static int check_gradients(const struct mdm_plan *p)
{
    const struct mdm_graph *g = p->g;

    for (int i = 0; i < g->n_node; i++)
        for (int k = 0; k < MDM_MAX_IN; k++) {
            const struct mdm_node *n = &g->node[i];
            const int v = n->in[k], wide = n->op->weights >> k & 1;

            if (v >= 0 && p->reached[v] && g->dtype != mdm_dtype_wide(g->dtype) && n->op->id != MDM_OP_NARROW &&
                wide != (g->val[v].gradient != g->dtype))
                return mdm_fail(MASKDM_ENOTSUP, "input %d of %s is a %s, whose gradient is of another type there", k,
                                n->op->name, wide ? "result" : "weight");
        }
    return MASKDM_OK;
}

int mdm_plan_flow(struct mdm_plan *p)
{
    MDM_TRY(find_uses(p));
    find_wants(p);
    find_flow(p);
    find_twins(p);
    return check_gradients(p);
}
