/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running: walk the list, hand every kernel its pointers. A forward value that an op did not say its backward reads
 * is handed over as NULL there, so that a wrong declaration fails at once and not by chance.
 */
#include "base/clock.h"
#include "graph/plan.h"

#include <string.h>

static void *in_arena(const struct mdm_graph *g, size_t at)
{
    return g->arena && at != SIZE_MAX ? g->arena + at : NULL;
}

void *mdm_graph_data(const struct mdm_graph *g, mdm_val v)
{
    return v >= 0 && v < g->n_val && g->val[v].role != MDM_PARAM ? in_arena(g, g->val[v].at) : NULL;
}

void *mdm_graph_gradient(const struct mdm_graph *g, mdm_val v)
{
    return v >= 0 && v < g->n_val && g->val[v].role != MDM_PARAM ? in_arena(g, g->val[v].grad_at) : NULL;
}

int mdm_graph_flows(const struct mdm_graph *g, mdm_val v)
{
    return v >= 0 && v < g->n_val && g->planned && g->val[v].grad_at != SIZE_MAX;
}

void mdm_graph_call(const struct mdm_graph *g, const struct mdm_node *n, struct mdm_call *c)
{
    *c = (struct mdm_call){.op = n->op->id, .dtype = g->dtype};
    memcpy(c->attr, n->attr, sizeof c->attr);
    memcpy(c->constant, n->constant, sizeof c->constant);
    for (int k = 0; k < MDM_MAX_IN; k++)
        if (n->in[k] >= 0)
            c->in_shape[k] = &g->val[n->in[k]].shape;
    for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++)
        c->out_shape[k] = &g->val[n->out[k]].shape;
    for (int k = 0; k < MDM_MAX_IN; k++)
        if (n->op->storable >> k & 1 && n->in[k] >= 0 && g->val[n->in[k]].role == MDM_PARAM)
            c->stored = g->layout->list[g->val[n->in[k]].param].stored;
    if (g->images > 0)
        c->row_group = mdm_shape_rows(c->out_shape[0]) / g->images;
}

/* Where element 0 of a parameter lies in a block; offsets are asked for at every run, since the layout may still
 * have grown after this program was recorded. */
static void *in_block(const struct mdm_graph *g, const struct mdm_value *x, const void *block, enum mdm_dtype type)
{
    return block ? (unsigned char *)block + g->layout->list[x->param].at * mdm_dtype_size(type) : NULL;
}

static int run_forward(struct mdm_graph *g, struct mdm_node *n, const void *weights, const atomic_int *cancel)
{
    struct mdm_call c;

    mdm_graph_call(g, n, &c);
    c.cancel = cancel;
    c.scratch = in_arena(g, n->scratch_at[0]);
    for (int k = 0; k < MDM_MAX_IN; k++)
        if (n->in[k] >= 0) {
            const struct mdm_value *x = &g->val[n->in[k]];
            c.in[k] = x->role == MDM_PARAM ? in_block(g, x, weights, x->dtype) : in_arena(g, x->at);
        }
    for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++)
        c.out[k] = in_arena(g, g->val[n->out[k]].at);
    return n->kernel->forward(g->backend, &c);
}

/* Result v of another node, into the place where backward finds it. */
static int run_remake(struct mdm_graph *g, mdm_val v, const void *weights, const atomic_int *cancel)
{
    const struct mdm_node *n = &g->node[g->val[v].node];
    struct mdm_call c;

    mdm_graph_call(g, n, &c);
    c.cancel = cancel;
    for (int k = 0; k < MDM_MAX_IN; k++)
        if (n->in[k] >= 0 && n->op->remake_in >> k & 1) {
            const struct mdm_value *x = &g->val[n->in[k]];

            c.in[k] = x->role == MDM_PARAM ? in_block(g, x, weights, x->dtype) : in_arena(g, x->at);
        }
    for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++) {
        if (n->op->remake_out >> k & 1)
            c.out[k] = in_arena(g, g->val[n->out[k]].at);
        if (n->out[k] == v)
            c.out[k] = in_arena(g, g->val[v].again_at);
    }
    return n->kernel->remake(g->backend, &c);
}

/* Where backward finds v. */
static void *in_backward(const struct mdm_graph *g, const struct mdm_value *x, const void *weights)
{
    if (x->role == MDM_PARAM)
        return in_block(g, x, weights, x->dtype);
    return in_arena(g, x->again_at != SIZE_MAX ? x->again_at : x->at);
}

static int run_backward(struct mdm_graph *g, struct mdm_node *n, const void *weights, void *gradients,
                        const atomic_int *cancel)
{
    struct mdm_call c;

    mdm_graph_call(g, n, &c);
    c.cancel = cancel;
    c.scratch = in_arena(g, n->scratch_at[1]);
    for (int k = 0; k < MDM_MAX_IN; k++)
        if (n->in[k] >= 0) {
            const struct mdm_value *x = &g->val[n->in[k]];

            if (n->remakes >> k & 1)
                MDM_TRY(run_remake(g, n->in[k], weights, cancel));
            if (n->op->reads_in >> k & 1)
                c.in[k] = in_backward(g, x, weights);
            if (x->grad_at != SIZE_MAX)
                c.din[k] = x->role == MDM_PARAM ? in_block(g, x, gradients, x->gradient) : in_arena(g, x->grad_at);
            c.add[k] = n->add[k];
        }
    for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++) {
        const struct mdm_value *x = &g->val[n->out[k]];

        if (n->op->reads_out >> k & 1)
            c.out[k] = in_arena(g, x->at);
        c.dout[k] = in_arena(g, x->grad_at);
    }
    return n->kernel->backward(g->backend, &c);
}

/* One operation; with profiling its time is added once the device has done all its work. */
static int run_node(struct mdm_graph *g, struct mdm_node *n, int backward, const void *weights, void *gradients,
                    const atomic_int *cancel)
{
    double start = g->profiling ? mdm_clock() : 0;
    int rc = MASKDM_ECANCELED;

    if (!cancel || !atomic_load_explicit(cancel, memory_order_relaxed))
        rc = backward ? run_backward(g, n, weights, gradients, cancel) : run_forward(g, n, weights, cancel);
    if (rc == MASKDM_ECANCELED)
        return mdm_fail(MASKDM_ECANCELED, "canceled");
    if (rc < 0 || !g->profiling)
        return rc;
    MDM_TRY(g->backend->v->wait(g->backend));
    n->seconds[backward] += mdm_clock() - start;
    return MASKDM_OK;
}

static int walk_forward(struct mdm_graph *g, const void *weights, const atomic_int *cancel)
{
    for (int i = 0; i < g->n_node; i++)
        MDM_TRY(run_node(g, &g->node[i], 0, weights, NULL, cancel));
    return MASKDM_OK;
}

static int walk_backward(struct mdm_graph *g, const void *weights, void *gradients, const atomic_int *cancel)
{
    for (int i = g->n_node; i-- > 0;) {
        if (g->node[i].backward)
            MDM_TRY(run_node(g, &g->node[i], 1, weights, gradients, cancel));
        if (g->passed)
            g->passed(g->passed_user, i);
    }
    return MASKDM_OK;
}

void mdm_graph_watch(struct mdm_graph *g, void (*passed)(void *user, int node), void *user)
{
    g->passed = passed;
    g->passed_user = user;
}

void mdm_graph_final(const struct mdm_graph *g, int *node)
{
    for (int i = 0; i < g->layout->count; i++)
        node[i] = g->n_node;
    for (int i = g->n_node; i-- > 0;)
        for (int k = 0; k < MDM_MAX_IN && g->node[i].backward; k++)
            if (g->node[i].in[k] >= 0 && g->val[g->node[i].in[k]].role == MDM_PARAM)
                node[g->val[g->node[i].in[k]].param] = i;
}

int mdm_graph_walk(struct mdm_graph *g, int backward, const void *weights, void *gradients, const atomic_int *cancel)
{
    weights = g->narrow_at != SIZE_MAX ? g->arena + g->narrow_at : weights;
    return backward ? walk_backward(g, weights, gradients, cancel) : walk_forward(g, weights, cancel);
}
