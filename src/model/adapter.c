/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What adapters are: their options, and how they get into a program.
 */
#include "model/adapter.h"

#include "base/alloc.h"
#include "base/error.h"
#include "ops/ops.h"
#include "text/pattern.h"

#include <math.h>
#include <string.h>

enum { NAME_LENGTH = 256 };
static const char tail[] = ".weight", tail_a[] = ".lora_A.weight", tail_b[] = ".lora_B.weight";

static void settle(struct mdm_adapter *a)
{
    mdm_options_read(a->options, &mdm_lora_options, &a->told);
    a->scale = a->told.alpha > 0 ? a->told.alpha / (double)a->told.rank : 1;
}

int mdm_adapter_create(struct mdm_adapter **out, const maskdm_options *options)
{
    struct mdm_adapter *a = mdm_need(1, sizeof *a, "an adapter");
    int status = a ? mdm_options_extract(&a->options, options, &mdm_lora_kind) : MASKDM_ENOMEM;

    *out = a;
    if (status == MASKDM_OK) {
        settle(a);
        if (a->told.rank < 1)
            status = mdm_fail(MASKDM_EINVAL, "%s is %lld: adapters have at least 1",
                              mdm_options_said(a->options, "rank"), (long long)a->told.rank);
    }
    if (status < 0)
        mdm_adapter_free(out);
    return status;
}

int mdm_adapter_clone(struct mdm_adapter **out, const struct mdm_adapter *adapter)
{
    MDM_TRY(mdm_adapter_create(out, adapter->options));
    memcpy((*out)->base, adapter->base, sizeof(*out)->base);
    return MASKDM_OK;
}

void mdm_adapter_free(struct mdm_adapter **adapter)
{
    struct mdm_adapter *a = *adapter;

    *adapter = NULL;
    if (a)
        mdm_options_release(&a->options);
    mdm_free(a);
}

/* The name without `end`, or 0 where it ends otherwise. */
static size_t stem(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);

    return n > m && !strcmp(name + n - m, end) ? n - m : 0;
}

static int is_meant(const char *list, const char *name)
{
    const char *pattern;
    size_t length;

    while ((pattern = mdm_pattern_next(&list, &length)))
        if (mdm_pattern_matches(pattern, length, name))
            return 1;
    return 0;
}

static mdm_val narrow(struct mdm_graph *g, const char *name, size_t length, const char *end, struct mdm_shape shape,
                      enum mdm_init init, double scale)
{
    char full[NAME_LENGTH];

    mdm_format(full, sizeof full, "%.*s%s", (int)length, name, end);
    return mdm_graph_param(g, full, shape, init, scale);
}

/* Both are convolutions where the matrix is one: a of its window, b of single pixels. They start as PEFT's: a even
 * within 1/sqrt(I), b zero. */
static mdm_val stand_beside(struct mdm_graph *g, mdm_val w, const char *name)
{
    const struct mdm_adapter *adapter = g->layout->adapter;
    const size_t length = stem(name, tail);
    struct mdm_shape a = mdm_graph_shape(g, w), b = a;
    const double taken = (double)(mdm_shape_numel(&a) / a.d[0]);
    mdm_val narrow_a, narrow_b;

    a.d[0] = adapter->told.rank;
    for (int i = 1; i < b.n; i++)
        b.d[i] = i == 1 ? adapter->told.rank : 1;
    narrow_a = narrow(g, name, length, tail_a, a, MDM_INIT_UNIFORM, 1 / sqrt(taken));
    narrow_b = narrow(g, name, length, tail_b, b, MDM_INIT_ZERO, 0);
    return mdm_lowrank(g, w, narrow_a, narrow_b, adapter->scale);
}

mdm_val mdm_adapter_record(struct mdm_graph *g, mdm_val param)
{
    const struct mdm_param *p = &g->layout->list[g->val[param].param];
    char name[NAME_LENGTH], scope[sizeof g->scope];
    mdm_val sum;

    mdm_graph_freeze(g, param);
    if (p->shape.n < 2 || !stem(p->name, tail) || !is_meant(g->layout->adapter->told.on, p->name))
        return param;
    mdm_format(name, sizeof name, "%s", p->name); /* which new parameters move */
    memcpy(scope, g->scope, sizeof scope);
    mdm_graph_scope(g, "%s", "");
    g->adapt = NULL;
    sum = stand_beside(g, param, name);
    g->adapt = mdm_adapter_record;
    memcpy(g->scope, scope, sizeof scope);
    return sum;
}

int mdm_adapter_beside(const struct mdm_params *layout, int i, int *a, int *b)
{
    const char *name = layout->list[i].name;
    const size_t length = stem(name, tail);
    char beside[NAME_LENGTH];

    *a = *b = -1;
    if (!length)
        return -1;
    mdm_format(beside, sizeof beside, "%.*s%s", (int)length, name, tail_a);
    *a = mdm_params_find(layout, beside);
    mdm_format(beside, sizeof beside, "%.*s%s", (int)length, name, tail_b);
    *b = mdm_params_find(layout, beside);
    return *a >= 0 && *b >= 0 ? i : -1;
}
