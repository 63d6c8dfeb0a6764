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

#include "util/alloc.h"
#include "util/checked.h"

enum { ALIGN = 64 };

static int moment_back(const struct maskdm_plan *p, int node)
{
    return 2 * p->g->n_node - node;
}

static void reach(struct maskdm_life *l, int time)
{
    if (l->from > l->to) {
        l->from = l->to = time;
        return;
    }
    l->from = time < l->from ? time : l->from;
    l->to = time > l->to ? time : l->to;
}

static int find_kernels(struct maskdm_plan *p)
{
    static const char *const dtype[] = {"float32", "float64", "int32"};
    struct maskdm_graph *g = p->g;
    const struct maskdm_backend_vtbl *backend = g->backend->v;

    for (int i = 0; i < g->n_node; i++) {
        struct maskdm_node *n = &g->node[i];
        struct maskdm_call c;

        n->kernel = backend->kernel(g->backend, n->op->id, g->dtype);
        if (!n->kernel || !n->kernel->forward || (n->backward && !n->kernel->backward))
            return maskdm_fail(MASKDM_ENOTSUP, "%s cannot run %s %s in %s", backend->name, n->op->name,
                               n->kernel && n->kernel->forward ? "backward" : "forward", dtype[g->dtype]);
        maskdm_graph_call(g, n, &c);
        n->scratch_bytes = n->kernel->scratch ? n->kernel->scratch(g->backend, &c, n->backward) : 0;
    }
    return MASKDM_OK;
}

/* Whether v gives up its bytes after forward. A plan that shares nothing would gain nothing. */
static int is_remade(const struct maskdm_plan *p, int v)
{
    const struct maskdm_value *x = &p->g->val[v];
    const struct maskdm_node *n;

    if (p->g->flags & MASKDM_PLAN_UNSHARED || x->node < 0 || x->kept)
        return 0;
    n = &p->g->node[x->node];
    for (int k = 0; k < MASKDM_MAX_OUT; k++)
        if (n->out[k] == v)
            return n->kernel->remake && n->op->remade_out >> k & 1;
    return 0;
}

/* The first backward to read v, which is the last of the list to have it, makes it anew. */
static void find_remakes(struct maskdm_plan *p)
{
    struct maskdm_graph *g = p->g;

    for (int i = g->n_node; i-- > 0;)
        for (int k = 0; k < MASKDM_MAX_IN; k++) {
            struct maskdm_node *n = &g->node[i];
            int v = n->in[k];

            if (v < 0 || !n->backward || !(n->op->reads_in >> k & 1) || !is_remade(p, v))
                continue;
            if (p->again[v].from > p->again[v].to)
                n->remakes |= 1u << k;
            reach(&p->again[v], moment_back(p, i));
        }
}

/* What remaking reads stays until then. */
static void keep_remake_sources(struct maskdm_plan *p)
{
    struct maskdm_graph *g = p->g;

    for (int v = 0; v < g->n_val; v++) {
        const struct maskdm_node *n = p->again[v].from <= p->again[v].to ? &g->node[g->val[v].node] : NULL;

        for (int k = 0; n && k < MASKDM_MAX_IN; k++)
            if (n->in[k] >= 0 && n->op->remake_in >> k & 1)
                reach(&p->data[n->in[k]], p->again[v].from);
        for (int k = 0; n && k < MASKDM_MAX_OUT && n->out[k] >= 0; k++)
            if (n->op->remake_out >> k & 1)
                reach(&p->data[n->out[k]], p->again[v].from);
    }
}

static void find_lives(struct maskdm_plan *p)
{
    struct maskdm_graph *g = p->g;

    for (int v = 0; v < g->n_val; v++)
        p->data[v] = p->grad[v] = p->again[v] = (struct maskdm_life){0, -1};
    find_remakes(p);
    for (int i = 0; i < g->n_node; i++) {
        const struct maskdm_node *n = &g->node[i];
        int back = moment_back(p, i);

        for (int k = 0; k < MASKDM_MAX_IN; k++) {
            int v = n->in[k];

            if (v < 0)
                continue;
            reach(&p->data[v], i);
            if (n->backward && n->op->reads_in >> k & 1 && p->again[v].from > p->again[v].to)
                reach(&p->data[v], back);
            if (n->backward && p->reached[v])
                reach(&p->grad[v], back);
        }
        for (int k = 0; k < MASKDM_MAX_OUT && n->out[k] >= 0; k++) {
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
        if (g->val[v].role == MASKDM_INPUT)
            reach(&p->data[v], -1);
        if (g->val[v].role == MASKDM_INPUT || g->val[v].kept)
            reach(&p->data[v], p->last);
        if (p->reached[v] && (g->val[v].kept || g->val[v].wants_gradient))
            reach(&p->grad[v], p->last);
        if (p->reached[v] && g->val[v].kept)
            reach(&p->grad[v], g->n_node);
    }
    keep_remake_sources(p);
}

static int add_span(struct maskdm_plan *p, size_t *at, size_t bytes, struct maskdm_life life)
{
    struct maskdm_graph *g = p->g;

    if (life.from > life.to || bytes == 0)
        return MASKDM_OK;
    if (maskdm_align_size(&bytes, bytes, ALIGN) || maskdm_add_size(&g->unplanned_bytes, g->unplanned_bytes, bytes))
        return maskdm_fail(MASKDM_ENOMEM, "a program needs more bytes than can be counted");
    if (g->flags & MASKDM_PLAN_UNSHARED)
        life = (struct maskdm_life){-1, p->last};
    p->span[p->n_span++] = (struct maskdm_span){.at = at, .bytes = bytes, .from = life.from, .to = life.to};
    return MASKDM_OK;
}

static int add_spans(struct maskdm_plan *p)
{
    struct maskdm_graph *g = p->g;
    size_t again = 0, sum;

    g->unplanned_bytes = 0;
    for (int v = 0; v < g->n_val; v++) {
        struct maskdm_value *x = &g->val[v];
        size_t bytes;

        if (x->role == MASKDM_PARAM)
            continue;
        if (maskdm_mul_size(&bytes, x->numel, maskdm_dtype_size(x->dtype)))
            return maskdm_fail(MASKDM_ENOMEM, "a value of %zu elements needs more bytes than can be counted",
                               x->numel);
        MASKDM_TRY(add_span(p, &x->at, bytes, p->data[v]));
        MASKDM_TRY(add_span(p, &x->grad_at, bytes, p->grad[v]));
        sum = g->unplanned_bytes;
        MASKDM_TRY(add_span(p, &x->again_at, bytes, p->again[v]));
        again += g->unplanned_bytes - sum;
    }
    for (int i = 0; i < g->n_node; i++) {
        struct maskdm_node *n = &g->node[i];
        int back = moment_back(p, i);

        n->scratch_at[0] = n->scratch_at[1] = SIZE_MAX;
        MASKDM_TRY(add_span(p, &n->scratch_at[0], n->scratch_bytes, (struct maskdm_life){i, i}));
        if (n->backward)
            MASKDM_TRY(add_span(p, &n->scratch_at[1], n->scratch_bytes, (struct maskdm_life){back, back}));
    }
    g->unplanned_bytes -= again; /* were nothing shared, nothing would be made anew */
    return MASKDM_OK;
}

static int take_memory(struct maskdm_plan *p)
{
    size_t values = (size_t)p->g->n_val, spans = 3 * values + 2 * (size_t)p->g->n_node;

    p->data = maskdm_need(values, sizeof *p->data, "a plan");
    p->grad = p->data ? maskdm_need(values, sizeof *p->grad, "a plan") : NULL;
    p->again = p->grad ? maskdm_need(values, sizeof *p->again, "a plan") : NULL;
    p->used = p->again ? maskdm_need(values, 1, "a plan") : NULL;
    p->wants = p->used ? maskdm_need(values, 1, "a plan") : NULL;
    p->reached = p->wants ? maskdm_need(values, 1, "a plan") : NULL;
    p->span = p->reached ? maskdm_need(spans, sizeof *p->span, "a plan") : NULL;
    return p->span ? MASKDM_OK : MASKDM_ENOMEM;
}

static int make_plan(struct maskdm_plan *p)
{
    MASKDM_TRY(take_memory(p));
    MASKDM_TRY(maskdm_plan_flow(p));
    MASKDM_TRY(find_kernels(p));
    find_lives(p);
    MASKDM_TRY(add_spans(p));
    return maskdm_place(&p->g->arena_bytes, p->span, p->n_span);
}

int maskdm_graph_plan(struct maskdm_graph *g, int flags)
{
    struct maskdm_plan p = {.g = g, .train = flags & MASKDM_PLAN_TRAIN, .last = 2 * g->n_node + 1};
    int rc = MASKDM_OK;

    g->planned = 0;
    if (g->failure.code)
        return maskdm_failure_record(&g->failure);
    if (g->n_node == 0)
        return maskdm_fail(MASKDM_EINVAL, "a program without operations");
    g->flags = flags;
    rc = make_plan(&p);
    g->planned = rc == MASKDM_OK;
    maskdm_free(p.data);
    maskdm_free(p.grad);
    maskdm_free(p.again);
    maskdm_free(p.used);
    maskdm_free(p.wants);
    maskdm_free(p.reached);
    maskdm_free(p.span);
    return rc;
}
