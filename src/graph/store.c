/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters that are stored in 16 bits: which may be, and whether a program can do with those that are.
 */
#include "base/alloc.h"
#include "graph/plan.h"

int mdm_graph_store(struct mdm_graph *g, enum mdm_dtype type)
{
    unsigned char *may;

    if (g->failure.code || g->told || g->layout->count == 0)
        return MASKDM_OK;
    may = mdm_need((size_t)g->layout->count, 1, "which weights are stored in 16 bits");
    if (!may)
        return MASKDM_ENOMEM;
    for (int v = 0; v < g->n_val; v++)
        if (g->val[v].role == MDM_PARAM)
            may[g->val[v].param] = 1;
    for (int i = 0; i < g->n_node; i++)
        for (int k = 0; k < MDM_MAX_IN; k++) {
            const struct mdm_node *n = &g->node[i];

            if (n->in[k] >= 0 && g->val[n->in[k]].role == MDM_PARAM && !(n->op->storable >> k & 1))
                may[g->val[n->in[k]].param] = 0;
        }
    mdm_params_store(g->layout, may, type);
    mdm_free(may);
    return MASKDM_OK;
}

int mdm_plan_stored(const struct mdm_plan *p)
{
    const struct mdm_graph *g = p->g;

    for (int i = 0; i < g->n_node; i++)
        for (int k = 0; k < MDM_MAX_IN; k++) {
            const struct mdm_node *n = &g->node[i];
            const struct mdm_value *x = n->in[k] >= 0 ? &g->val[n->in[k]] : NULL;
            const struct mdm_param *q = x && x->role == MDM_PARAM ? &g->layout->list[x->param] : NULL;

            if (q && q->stored != MDM_F32 && (p->train || !(n->op->storable >> k & 1)))
                return mdm_fail(MASKDM_ENOTSUP, "%s cannot %s %s, which is stored in 16 bits", n->op->name,
                                p->train ? "train" : "read", q->name);
        }
    return MASKDM_OK;
}
