/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a model to one with adapters, and back to one that has them in its weights.
 */
#include "model/adapter.h"

#include "base/alloc.h"
#include "base/error.h"
#include "ops/ops.h"
#include "text/pattern.h"

#include <string.h>

static int64_t values_of(const struct mdm_params *layout, int i)
{
    return mdm_shape_numel(&layout->list[i].shape);
}

/* Every pattern names a matrix. The default's are for the blocks of any network, so that one may find nothing. */
static int check_patterns(const struct mdm_params *layout, const struct mdm_adapter *adapter)
{
    const char *at = adapter->told.on, *pattern;
    size_t length;
    int patterns = 0;

    while ((pattern = mdm_pattern_next(&at, &length))) {
        int found = 0, a, b;

        for (int i = 0; i < layout->count && !found; i++)
            found = mdm_pattern_matches(pattern, length, layout->list[i].name) &&
                    mdm_adapter_beside(layout, i, &a, &b) >= 0;
        patterns++;
        if (!found)
            return mdm_fail(MASKDM_EINVAL, "%s \"%.*s\" names no matrix NAME.weight among the %d parameters",
                            mdm_options_said(adapter->options, "on"), (int)length, pattern, layout->count);
    }
    return patterns ? MASKDM_OK
                    : mdm_fail(MASKDM_EINVAL, "%s names no matrix", mdm_options_said(adapter->options, "on"));
}

/* What both layouts have. */
static int copy_common(const maskdm_model *to, float *block, const maskdm_model *from, const float *given)
{
    for (int i = 0; i < to->layout.count; i++) {
        const struct mdm_param *p = &to->layout.list[i];
        const int at = mdm_params_find(&from->layout, p->name);

        if (at >= 0)
            MDM_TRY(mdm_device_copy(to->device, block + p->at, given + from->layout.list[at].at,
                                    (size_t)values_of(&to->layout, i) * sizeof *block));
    }
    return MASKDM_OK;
}

static int judge(const maskdm_model *made, const struct mdm_adapter *adapter, const maskdm_model *base)
{
    if (made->layout.count == base->layout.count)
        return mdm_fail(MASKDM_EINVAL, "%s \"%s\" names no matrix NAME.weight among the %d parameters",
                        mdm_options_said(adapter->options, "on"), adapter->told.on, base->layout.count);
    return MASKDM_OK;
}

int mdm_adapt_shell(maskdm_model **out, const maskdm_model *base, enum maskdm_weights which,
                    const struct mdm_adapter *adapter)
{
    int status;

    *out = NULL;
    MDM_TRY(mdm_device_need_float(base->device, "a model with adapters"));
    if (base->adapter)
        return mdm_fail(MASKDM_EINVAL, "the model has adapters already; they can be merged into its weights");
    MDM_TRY(mdm_model_like_with(out, base, base->options, adapter));
    status = judge(*out, adapter, base);
    if (status == MASKDM_OK)
        status = mdm_model_digest(base, which, (*out)->adapter->base);
    if (status == MASKDM_OK)
        status = mdm_model_take(*out, 0);
    if (status == MASKDM_OK)
        status = mdm_model_clear_gaps((*out)->device, &(*out)->layout, (*out)->ema);
    if (status == MASKDM_OK)
        status = copy_common(*out, (*out)->ema, base, mdm_model_block(base, which));
    if (status < 0)
        mdm_model_drop(out);
    return status;
}

/* Of the adapters alone. */
static int draw(maskdm_model *m, const struct mdm_params *base, uint64_t seed)
{
    const struct mdm_params *p = &m->layout;
    int status = MASKDM_OK;

    for (int i = 0; i < p->count && status == MASKDM_OK; i++) {
        const size_t bytes = (size_t)values_of(p, i) * sizeof(float);
        float *value;

        if (mdm_params_find(base, p->list[i].name) >= 0)
            continue;
        value = mdm_need_aligned(bytes, "drawing adapters");
        if (!value)
            return MASKDM_ENOMEM;
        mdm_params_draw(p, i, value, seed);
        status = mdm_device_upload(m->device, m->ema + p->list[i].at, value, bytes);
        mdm_free(value);
    }
    return status;
}

int mdm_model_adapt(maskdm_model **out, const maskdm_model *base, enum maskdm_weights which,
                    const maskdm_options *options, uint64_t seed)
{
    struct mdm_adapter *adapter;
    int status;

    *out = NULL;
    MDM_TRY(mdm_adapter_create(&adapter, options));
    status = mdm_adapt_shell(out, base, which, adapter);
    if (status == MASKDM_OK && mdm_options_is_set(adapter->options, "on"))
        status = check_patterns(&(*out)->layout, adapter);
    mdm_adapter_free(&adapter);
    if (status == MASKDM_OK)
        status = draw(*out, &base->layout, seed);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}

/* ---- merging ---- */

static mdm_val parameter(struct mdm_graph *g, int i)
{
    const struct mdm_param p = g->layout->list[i];

    return mdm_graph_param(g, p.name, p.shape, p.init, p.scale);
}

/* The sum of parameters w, a and b by a program of that operation alone, which a network's program runs as well. */
static int sum_up(const maskdm_model *m, const float *block, int w, int a, int b, float *to)
{
    struct mdm_params *layout = &((maskdm_model *)m)->layout; /* which has them all, and stays as it is */
    struct mdm_graph g;
    void *arena = NULL;
    mdm_val y;
    int status;

    mdm_graph_init(&g, mdm_device_backend(m->device), layout, MDM_F32);
    y = mdm_lowrank(&g, parameter(&g, w), parameter(&g, a), parameter(&g, b), m->adapter->scale);
    mdm_graph_output(&g, y);
    status = mdm_graph_plan(&g, 0);
    if (status == MASKDM_OK)
        status = mdm_device_alloc(m->device, &arena, g.arena_bytes, 0, "merging an adapter");
    mdm_graph_bind(&g, arena);
    if (status == MASKDM_OK)
        status = mdm_device_enter(m->device);
    if (status == MASKDM_OK) {
        status = mdm_graph_forward(&g, block, NULL);
        mdm_device_leave(m->device);
    }
    if (status == MASKDM_OK)
        status = mdm_device_copy(m->device, to, mdm_graph_data(&g, y), (size_t)values_of(layout, w) * sizeof *to);
    if (arena)
        mdm_device_free(m->device, arena, g.arena_bytes);
    mdm_graph_free(&g);
    return status;
}

static int merge_block(const maskdm_model *to, float *block, const maskdm_model *from, const float *given)
{
    MDM_TRY(mdm_model_clear_gaps(to->device, &to->layout, block));
    MDM_TRY(copy_common(to, block, from, given));
    for (int i = 0; i < from->layout.count; i++) {
        int a, b;

        if (mdm_adapter_beside(&from->layout, i, &a, &b) < 0)
            continue;
        MDM_TRY(sum_up(from, given, i, a, b,
                       block + to->layout.list[mdm_params_find(&to->layout, from->layout.list[i].name)].at));
    }
    return MASKDM_OK;
}

int mdm_model_merge(maskdm_model **out, const maskdm_model *adapted)
{
    int status;

    *out = NULL;
    if (!adapted->adapter)
        return mdm_fail(MASKDM_EINVAL, "the model has no adapters to merge");
    MDM_TRY(mdm_model_like_with(out, adapted, adapted->options, NULL));
    status = mdm_model_take(*out, adapted->online != NULL);
    if (status == MASKDM_OK)
        status = merge_block(*out, (*out)->ema, adapted, adapted->ema);
    if (status == MASKDM_OK && adapted->online)
        status = merge_block(*out, (*out)->online, adapted, adapted->online);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}
