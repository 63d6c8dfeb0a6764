/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Passes that a device notes and plays. A pass is the same list of kernel calls each time, but for the blocks that it
 * is given: so the first with its blocks is walked, which also lets a device make whatever it keeps per call; the
 * second is noted, and from then on it is played until other blocks come.
 */
#include "graph/plan.h"

static int is_cancelled(const atomic_int *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed);
}

void mdm_graph_forget(struct mdm_graph *g)
{
    for (int i = 0; i < 2; i++) {
        if (g->recording[i].recorded)
            g->backend->v->forget(g->backend, g->recording[i].recorded);
        g->recording[i] = (struct mdm_recording){0};
    }
}

void mdm_graph_bind(struct mdm_graph *g, void *arena)
{
    mdm_graph_forget(g);
    mdm_graph_hold_weights(g, 0);
    g->arena = arena;
}

/* What the walk had to say stands, also where nothing could be noted; half a walk is not kept. */
static int note(struct mdm_graph *g, int backward, const void *weights, void *gradients)
{
    const struct mdm_backend_vtbl *v = g->backend->v;
    struct mdm_recording *r = &g->recording[backward];
    struct mdm_failure why = {0};
    int walked, noted;

    MDM_TRY(v->record(g->backend));
    walked = mdm_graph_walk(g, backward, weights, gradients, NULL);
    if (walked < 0)
        mdm_failure_take(&why, walked);
    noted = v->recorded(g->backend, &r->recorded);
    if (walked >= 0)
        return noted;
    v->forget(g->backend, r->recorded);
    r->recorded = NULL;
    return mdm_failure_record(&why);
}

static int pass(struct mdm_graph *g, int backward, const void *weights, void *gradients, const atomic_int *cancel)
{
    struct mdm_recording *r = &g->recording[backward];
    int status;

    if (!g->backend->v->record || g->profiling)
        return mdm_graph_walk(g, backward, weights, gradients, cancel);
    if (r->weights != weights || r->gradients != gradients) {
        g->backend->v->forget(g->backend, r->recorded);
        *r = (struct mdm_recording){.weights = weights, .gradients = gradients};
    }
    if (is_cancelled(cancel))
        return mdm_fail(MASKDM_ECANCELED, "canceled");
    if (r->passes == 1)
        MDM_TRY(note(g, backward, weights, gradients));
    status = r->recorded ? g->backend->v->play(g->backend, r->recorded)
                         : mdm_graph_walk(g, backward, weights, gradients, cancel);
    if (status >= 0) /* one that ended early has not made all that a device keeps */
        r->passes += r->passes < 2;
    return status;
}

static int ready(const struct mdm_graph *g, int flag)
{
    if (!g->planned || (g->flags & flag) != flag)
        return mdm_fail(MASKDM_EINVAL, "a program is run %s, but was not planned for that",
                        flag ? "backward" : "forward");
    if (!g->arena)
        return mdm_fail(MASKDM_EINVAL, "a program is run without an arena");
    return MASKDM_OK;
}

void mdm_graph_hold_weights(struct mdm_graph *g, int steady)
{
    g->steady = steady;
    g->narrowed = NULL;
}

/* The weights in the program's type, where that is not float. */
static int narrow(struct mdm_graph *g, const void *weights)
{
    if (g->narrow_at == SIZE_MAX || (g->steady && g->narrowed == weights))
        return MASKDM_OK;
    MDM_TRY(g->backend->v->narrow(g->backend, g->arena + g->narrow_at, weights, g->layout->length));
    g->narrowed = weights;
    return MASKDM_OK;
}

int mdm_graph_forward(struct mdm_graph *g, const void *weights, const atomic_int *cancel)
{
    MDM_TRY(ready(g, 0));
    MDM_TRY(narrow(g, weights));
    return pass(g, 0, weights, NULL, cancel);
}

int mdm_graph_backward(struct mdm_graph *g, const void *weights, void *gradients, const atomic_int *cancel)
{
    MDM_TRY(ready(g, MDM_PLAN_TRAIN));
    return pass(g, 1, weights, gradients, cancel);
}
