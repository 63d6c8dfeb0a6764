/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recording: values and nodes are appended to two lists. The first failure sticks, so that a model's code is its
 * formula and nothing else.
 */
#include "graph/graph.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/format.h"
#include "graph/plan.h"

#include <stdarg.h>
#include <string.h>

/* No program needs more; keeps positions in an int and sums of sizes far from overflow. */
static const int most_items = 1 << 20;
static const int64_t most_elements = (int64_t)1 << 46;

void mdm_graph_init(struct mdm_graph *g, struct mdm_backend *backend, struct mdm_params *layout, enum mdm_dtype dtype)
{
    *g = (struct mdm_graph){.backend = backend, .layout = layout, .dtype = dtype, .told = layout->count};
}

void mdm_graph_free(struct mdm_graph *g)
{
    mdm_graph_forget(g);
    mdm_free(g->val);
    mdm_free(g->node);
    *g = (struct mdm_graph){0};
}

mdm_val mdm_graph_fail(struct mdm_graph *g, int code, const char *format, ...)
{
    char text[MDM_ERROR_TEXT];
    va_list ap;

    if (g->failure.code)
        return MDM_NONE;
    va_start(ap, format);
    (void)mdm_format_list(text, sizeof text, format, ap);
    va_end(ap);
    if (g->scope[0])
        mdm_failure_set(&g->failure, code, "%s (in %s)", text, g->scope);
    else
        mdm_failure_set(&g->failure, code, "%s", text);
    return MDM_NONE;
}

/* Room for one more item behind the n that *list holds. */
static int grow(struct mdm_graph *g, void **list, int *capacity, int n, size_t size)
{
    int want = *capacity ? 2 * *capacity : 64;
    void *larger;

    if (n < *capacity)
        return 1;
    if (want > most_items) {
        mdm_graph_fail(g, MASKDM_EINVAL, "a program of more than %d values or operations", most_items);
        return 0;
    }
    larger = mdm_realloc(*list, (size_t)want * size);
    if (!larger) {
        mdm_graph_fail(g, MASKDM_ENOMEM, "cannot allocate %zu bytes for a program", (size_t)want * size);
        return 0;
    }
    *list = larger;
    *capacity = want;
    return 1;
}

static mdm_val add_value(struct mdm_graph *g, enum mdm_role role, enum mdm_dtype dtype, const struct mdm_shape *shape)
{
    void *list = g->val;
    int64_t numel = 1;
    int ok;

    if (g->failure.code)
        return MDM_NONE;
    for (int i = 0; i < shape->n; i++)
        if (shape->d[i] < 1 || mdm_mul_i64(&numel, numel, shape->d[i]) || numel > most_elements)
            return mdm_graph_fail(g, MASKDM_ESHAPE, "a value whose dimension %d is %lld is empty or too large", i,
                                  (long long)shape->d[i]);
    ok = grow(g, &list, &g->cap_val, g->n_val, sizeof *g->val);
    g->val = list;
    if (!ok)
        return MDM_NONE;
    g->val[g->n_val] = (struct mdm_value){.shape = *shape,
                                          .dtype = dtype,
                                          .gradient = role == MDM_PARAM ? mdm_dtype_wide(dtype) : dtype,
                                          .role = role,
                                          .param = -1,
                                          .node = -1,
                                          .numel = (size_t)numel,
                                          .at = SIZE_MAX,
                                          .grad_at = SIZE_MAX,
                                          .again_at = SIZE_MAX};
    return g->n_val++;
}

mdm_val mdm_graph_input(struct mdm_graph *g, enum mdm_dtype dtype, struct mdm_shape shape)
{
    return add_value(g, MDM_INPUT, dtype, &shape);
}

void mdm_graph_want_gradient(struct mdm_graph *g, mdm_val input)
{
    if (input >= 0 && input < g->n_val && g->val[input].role == MDM_INPUT &&
        g->val[input].dtype == mdm_dtype_wide(g->dtype))
        g->val[input].wants_gradient = 1;
    else
        mdm_graph_fail(g, MASKDM_EINVAL, "value %d is no input that can have a gradient", input);
}

void mdm_graph_scope(struct mdm_graph *g, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    (void)mdm_format_list(g->scope, sizeof g->scope, format, ap);
    va_end(ap);
}

mdm_val mdm_graph_param(struct mdm_graph *g, const char *name, struct mdm_shape shape, enum mdm_init init,
                        double scale)
{
    char full[256];
    mdm_val v;
    int param;

    if (g->failure.code)
        return MDM_NONE;
    mdm_format(full, sizeof full, "%s%s", g->scope, name);
    param = mdm_params_declare(g->layout, full, &shape, init, scale);
    if (param < 0) {
        mdm_failure_take(&g->failure, param);
        return MDM_NONE;
    }
    for (v = 0; v < g->n_val; v++)
        if (g->val[v].role == MDM_PARAM && g->val[v].param == param)
            break;
    if (v == g->n_val)
        v = add_value(g, MDM_PARAM, g->dtype, &shape);
    if (v >= 0)
        g->val[v].param = param;
    return v >= 0 && g->adapt ? g->adapt(g, v) : v;
}

/* The parameter of what mdm_graph_param() answered, where this graph has still to tell what it is. */
static struct mdm_param *untold(const struct mdm_graph *g, mdm_val v)
{
    if (v == MDM_NONE)
        return NULL;
    while (g->val[v].role != MDM_PARAM)
        v = g->node[g->val[v].node].in[0];
    return g->val[v].param < g->told ? NULL : &g->layout->list[g->val[v].param];
}

void mdm_graph_freeze(struct mdm_graph *g, mdm_val param)
{
    struct mdm_param *p = untold(g, param);

    if (p)
        p->frozen = 1;
}

mdm_val mdm_graph_frozen(struct mdm_graph *g, const char *name, struct mdm_shape shape, enum mdm_init init,
                         double scale)
{
    mdm_val v = mdm_graph_param(g, name, shape, init, scale);

    mdm_graph_freeze(g, v);
    return v;
}

mdm_val mdm_graph_means(struct mdm_graph *g, mdm_val param, enum mdm_meaning meaning)
{
    struct mdm_param *p = untold(g, param);

    if (p)
        p->meaning = meaning;
    return param;
}

void mdm_graph_means_name(struct mdm_graph *g, const char *name, enum mdm_meaning meaning)
{
    const int i = mdm_params_find(g->layout, name);

    if (i >= g->told)
        g->layout->list[i].meaning = meaning;
}

mdm_val mdm_graph_hidden(struct mdm_graph *g, mdm_val param, int parts)
{
    struct mdm_param *p = untold(g, param);

    if (p)
        p->parts = parts;
    return param;
}

void mdm_graph_output(struct mdm_graph *g, mdm_val v)
{
    if (v >= 0 && v < g->n_val && g->val[v].role == MDM_ACT)
        g->val[v].kept = 1;
    else
        mdm_graph_fail(g, MASKDM_EINVAL, "value %d is no result, so it cannot be an output", v);
}

struct mdm_shape mdm_graph_shape(const struct mdm_graph *g, mdm_val v)
{
    return v >= 0 && v < g->n_val ? g->val[v].shape : (struct mdm_shape){0};
}

/* Name i of "x w b?": where it begins; its length without the "?", and whether that stands there. */
static const char *input_name(const struct mdm_op *op, int i, int *length, int *optional)
{
    const char *s = op->inputs;

    for (; i > 0 && *s; i--) {
        s += strcspn(s, " ");
        s += *s == ' ';
    }
    *length = (int)strcspn(s, " ?");
    *optional = s[*length] == '?';
    return s;
}

static int fits(struct mdm_graph *g, const struct mdm_op *op, int count, const mdm_val *in)
{
    for (int i = 0; i < count; i++) {
        int length, optional;
        const char *name = input_name(op, i, &length, &optional);

        if (in[i] == MDM_NONE ? !optional : in[i] < 0 || in[i] >= g->n_val) {
            mdm_graph_fail(g, MASKDM_EINVAL, "%s has no %.*s", op->name, length, name);
            return 0;
        }
        for (int j = 0; j < i; j++)
            if (in[i] != MDM_NONE && in[i] == in[j]) {
                mdm_graph_fail(g, MASKDM_EINVAL, "%s gets one value twice, the second time as %.*s", op->name, length,
                               name);
                return 0;
            }
    }
    return 1;
}

struct mdm_node *mdm_graph_node(struct mdm_graph *g, const struct mdm_op *op, int count, const mdm_val *in)
{
    void *list = g->node;
    struct mdm_node *n;
    int ok;

    if (g->failure.code || !fits(g, op, count, in))
        return NULL;
    ok = grow(g, &list, &g->cap_node, g->n_node, sizeof *g->node);
    g->node = list;
    if (!ok)
        return NULL;
    n = &g->node[g->n_node++];
    *n = (struct mdm_node){.op = op, .scratch_at = {SIZE_MAX, SIZE_MAX}};
    for (int i = 0; i < MDM_MAX_IN; i++)
        n->in[i] = i < count ? in[i] : MDM_NONE;
    for (int i = 0; i < MDM_MAX_OUT; i++)
        n->out[i] = MDM_NONE;
    return n;
}

mdm_val mdm_graph_result(struct mdm_graph *g, enum mdm_role role, struct mdm_shape shape)
{
    mdm_val v = add_value(g, role, g->dtype, &shape);
    struct mdm_value *x;
    struct mdm_node *n;
    int i = 0;

    if (v < 0)
        return v;
    x = &g->val[v];
    n = &g->node[g->n_node - 1];
    while (i < MDM_MAX_OUT && n->out[i] != MDM_NONE)
        i++;
    if (i == MDM_MAX_OUT)
        return mdm_graph_fail(g, MASKDM_EINVAL, "%s has more than %d results", n->op->name, MDM_MAX_OUT);
    n->out[i] = v;
    x->node = g->n_node - 1;
    if ((role == MDM_AUX && !(n->op->narrow_aux >> i & 1)) || n->op->wide_out >> i & 1)
        x->dtype = mdm_dtype_wide(g->dtype);
    x->gradient = n->op->weight_out >> i & 1 ? mdm_dtype_wide(g->dtype) : x->dtype;
    return v;
}
