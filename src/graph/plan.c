/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Place every value of a program in one arena.
 *
 * Time runs over the n operations of the forward list, then the caller writes the gradients of the outputs, then it
 * runs over the same list backwards: node i works at time i and at time 2n - i. A value needs storage from the
 * first time it is written to the last time it is read, and what each backward reads is known from its op; values
 * whose times do not meet may share bytes.
 */
#include "graph/plan.h"

#include "base/alloc.h"
#include "base/checked.h"

enum { ALIGN = 64 };

static int moment_back(const struct mdm_plan *p, int node)
{
    return 2 * p->g->n_node - node;
}

static void reach(struct mdm_life *l, int time)
{
    if (l->from > l->to) {
        l->from = l->to = time;
        return;
    }
    l->from = time < l->from ? time : l->from;
    l->to = time > l->to ? time : l->to;
}

static int find_kernels(struct mdm_plan *p)
{
    static const char *const dtype[] = {"float32", "float64", "int32", "bfloat16", "float16"};
    struct mdm_graph *g = p->g;
    const struct mdm_backend_vtbl *backend = g->backend->v;

    for (int i = 0; i < g->n_node; i++) {
        struct mdm_node *n = &g->node[i];
        struct mdm_call c;

        n->kernel = backend->kernel(g->backend, n->op->id, g->dtype);
        if (!n->kernel || !n->kernel->forward || (n->backward && !n->kernel->backward))
            return mdm_fail(MASKDM_ENOTSUP, "%s cannot run %s %s in %s", backend->name, n->op->name,
                            n->kernel && n->kernel->forward ? "backward" : "forward", dtype[g->dtype]);
        mdm_graph_call(g, n, &c);
        n->scratch_bytes = n->kernel->scratch ? n->kernel->scratch(g->backend, &c, n->backward) : 0;
    }
    return MASKDM_OK;
}

/* Whether v gives up its bytes after forward. A plan that shares nothing would gain nothing. */
static int is_remade(const struct mdm_plan *p, int v)
{
    const struct mdm_value *x = &p->g->val[v];
    const struct mdm_node *n;

    if (p->g->keeps || p->g->flags & MDM_PLAN_UNSHARED || x->node < 0 || x->kept)
        return 0;
    n = &p->g->node[x->node];
    for (int k = 0; k < MDM_MAX_OUT; k++)
        if (n->out[k] == v)
            return n->kernel->remake && n->op->remade_out >> k & 1;
    return 0;
}

/* The first backward to read v, which is the last of the list to have it, makes it anew. */
static void find_remakes(struct mdm_plan *p)
{
    struct mdm_graph *g = p->g;

    for (int i = g->n_node; i-- > 0;)
        for (int k = 0; k < MDM_MAX_IN; k++) {
            struct mdm_node *n = &g->node[i];
            int v = n->in[k];

            if (v < 0 || !n->backward || !(n->op->reads_in >> k & 1) || !is_remade(p, v))
                continue;
            if (p->again[v].from > p->again[v].to)
                n->remakes |= 1u << k;
            reach(&p->again[v], moment_back(p, i));
        }
}

/* What remaking reads stays until then. */
static void keep_remake_sources(struct mdm_plan *p)
{
    struct mdm_graph *g = p->g;

    for (int v = 0; v < g->n_val; v++) {
        const struct mdm_node *n = p->again[v].from <= p->again[v].to ? &g->node[g->val[v].node] : NULL;

        for (int k = 0; n && k < MDM_MAX_IN; k++)
            if (n->in[k] >= 0 && n->op->remake_in >> k & 1)
                reach(&p->data[n->in[k]], p->again[v].from);
        for (int k = 0; n && k < MDM_MAX_OUT && n->out[k] >= 0; k++)
            if (n->op->remake_out >> k & 1)
                reach(&p->data[n->out[k]], p->again[v].from);
    }
}

static void find_lives(struct mdm_plan *p)
{
    struct mdm_graph *g = p->g;

    for (int v = 0; v < g->n_val; v++)
        p->data[v] = p->grad[v] = p->again[v] = (struct mdm_life){0, -1};
    find_remakes(p);
    for (int i = 0; i < g->n_node; i++) {
        const struct mdm_node *n = &g->node[i];
        int back = moment_back(p, i);

        for (int k = 0; k < MDM_MAX_IN; k++) {
            int v = n->in[k];

            if (v < 0)
                continue;
            reach(&p->data[v], i);
            if (n->backward && n->op->reads_in >> k & 1 && p->again[v].from > p->again[v].to)
                reach(&p->data[v], back);
            if (n->backward && p->reached[v])
                reach(&p->grad[v], back);
        }
        for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++) {
            int v = n->out[k], read = n->backward && n->op->reads_out >> k & 1;

            if (p->used[v] || read)
                reach(&p->data[v], i);
            if (read)
                reach(&p->data[v], back);
            if (p->reached[v])
                reach(&p->grad[v], back);
        }
    }
    for (int v = 0; v < g->n_val; v++) {
        if (g->val[v].role == MDM_INPUT)
            reach(&p->data[v], -1);
        if (g->val[v].role == MDM_INPUT || g->val[v].kept)
            reach(&p->data[v], p->last);
        if (p->reached[v] && (g->val[v].kept || g->val[v].wants_gradient))
            reach(&p->grad[v], p->last);
        if (p->reached[v] && g->val[v].kept)
            reach(&p->grad[v], g->n_node);
    }
    for (int v = 0; v < g->n_val; v++)
        if (p->twin[v] >= 0) {
            reach(&p->grad[p->twin[v]], p->grad[v].from);
            reach(&p->grad[p->twin[v]], p->grad[v].to);
        }
    keep_remake_sources(p);
}

static void place_twins(struct mdm_plan *p)
{
    for (int v = 0; v < p->g->n_val; v++)
        if (p->twin[v] >= 0)
            p->g->val[v].grad_at = p->g->val[p->twin[v]].grad_at;
}

/* Among those that it would take if nothing were shared. */
static int count_bytes(struct mdm_graph *g, size_t *bytes)
{
    if (mdm_align_size(bytes, *bytes, ALIGN) || mdm_add_size(&g->unplanned_bytes, g->unplanned_bytes, *bytes))
        return mdm_fail(MASKDM_ENOMEM, "a program needs more bytes than can be counted");
    return MASKDM_OK;
}

static int add_span(struct mdm_plan *p, size_t *at, size_t bytes, struct mdm_life life)
{
    struct mdm_graph *g = p->g;

    if (life.from > life.to || bytes == 0)
        return MASKDM_OK;
    MDM_TRY(count_bytes(g, &bytes));
    if (g->flags & MDM_PLAN_UNSHARED)
        life = (struct mdm_life){-1, p->last};
    p->span[p->n_span++] = (struct mdm_span){.at = at, .bytes = bytes, .from = life.from, .to = life.to};
    return MASKDM_OK;
}

static int add_spans(struct mdm_plan *p)
{
    struct mdm_graph *g = p->g;
    size_t again = 0, sum;

    g->unplanned_bytes = 0;
    for (int v = 0; v < g->n_val; v++) {
        struct mdm_value *x = &g->val[v];
        size_t bytes;

        if (x->role == MDM_PARAM)
            continue;
        if (mdm_mul_size(&bytes, x->numel, mdm_dtype_size(x->dtype)))
            return mdm_fail(MASKDM_ENOMEM, "a value of %zu elements needs more bytes than can be counted", x->numel);
        MDM_TRY(add_span(p, &x->at, bytes, p->data[v]));
        if (mdm_mul_size(&bytes, x->numel, mdm_dtype_size(x->gradient)))
            return mdm_fail(MASKDM_ENOMEM, "a gradient of %zu elements needs more bytes than can be counted",
                            x->numel);
        if (p->twin[v] < 0)
            MDM_TRY(add_span(p, &x->grad_at, bytes, p->grad[v]));
        else
            MDM_TRY(count_bytes(g, &bytes));
        bytes = x->numel * mdm_dtype_size(x->dtype);
        sum = g->unplanned_bytes;
        MDM_TRY(add_span(p, &x->again_at, bytes, p->again[v]));
        again += g->unplanned_bytes - sum;
    }
    for (int i = 0; i < g->n_node; i++) {
        struct mdm_node *n = &g->node[i];
        int back = moment_back(p, i);

        n->scratch_at[0] = n->scratch_at[1] = SIZE_MAX;
        MDM_TRY(add_span(p, &n->scratch_at[0], n->scratch_bytes, (struct mdm_life){i, i}));
        if (n->backward)
            MDM_TRY(add_span(p, &n->scratch_at[1], n->scratch_bytes, (struct mdm_life){back, back}));
    }
    g->unplanned_bytes -= again; /* were nothing shared, nothing would be made anew */
    return MASKDM_OK;
}

static int take_memory(struct mdm_plan *p)
{
    size_t values = (size_t)p->g->n_val, spans = 3 * values + 2 * (size_t)p->g->n_node;

    p->data = mdm_need(values, sizeof *p->data, "a plan");
    p->grad = p->data ? mdm_need(values, sizeof *p->grad, "a plan") : NULL;
    p->again = p->grad ? mdm_need(values, sizeof *p->again, "a plan") : NULL;
    p->used = p->again ? mdm_need(values, 1, "a plan") : NULL;
    p->wants = p->used ? mdm_need(values, 1, "a plan") : NULL;
    p->reached = p->wants ? mdm_need(values, 1, "a plan") : NULL;
    p->twin = p->reached ? mdm_need(values, sizeof *p->twin, "a plan") : NULL;
    p->span = p->twin ? mdm_need(spans, sizeof *p->span, "a plan") : NULL;
    return p->span ? MASKDM_OK : MASKDM_ENOMEM;
}

/* The weights of the program's type lie behind all values, so that they stay for backward. */
static int place_weights(struct mdm_graph *g)
{
    size_t bytes;

    g->narrow_at = SIZE_MAX;
    if (g->dtype == mdm_dtype_wide(g->dtype) || g->layout->length == 0)
        return MASKDM_OK;
    g->narrow_at = g->arena_bytes;
    if (mdm_mul_size(&bytes, g->layout->length, mdm_dtype_size(g->dtype)) || mdm_align_size(&bytes, bytes, ALIGN) ||
        mdm_add_size(&g->arena_bytes, g->arena_bytes, bytes))
        return mdm_fail(MASKDM_ENOMEM, "a program needs more bytes than can be counted");
    return MASKDM_OK;
}

static int make_plan(struct mdm_plan *p)
{
    MDM_TRY(take_memory(p));
    MDM_TRY(mdm_plan_flow(p));
    MDM_TRY(mdm_plan_stored(p));
    MDM_TRY(find_kernels(p));
    find_lives(p);
    MDM_TRY(add_spans(p));
    MDM_TRY(mdm_place(&p->g->arena_bytes, p->span, p->n_span));
    place_twins(p);
    return place_weights(p->g);
}

int mdm_graph_plan(struct mdm_graph *g, int flags)
{
    struct mdm_plan p = {.g = g, .train = flags & MDM_PLAN_TRAIN, .last = 2 * g->n_node + 1};
    int rc = MASKDM_OK;

    g->planned = 0;
    mdm_graph_forget(g);
    if (g->failure.code)
        return mdm_failure_record(&g->failure);
    if (g->n_node == 0)
        return mdm_fail(MASKDM_EINVAL, "a program without operations");
    g->flags = flags;
    rc = make_plan(&p);
    g->planned = rc == MASKDM_OK;
    mdm_free(p.data);
    mdm_free(p.grad);
    mdm_free(p.again);
    mdm_free(p.used);
    mdm_free(p.wants);
    mdm_free(p.reached);
    mdm_free(p.twin);
    mdm_free(p.span);
    return rc;
}
