/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recording: values and nodes are appended to two lists. The first failure sticks, so that a model's code is its
 * formula and nothing else.
 */
#include "graph/graph.h"

#include "util/alloc.h"
#include "util/checked.h"

#include <stdarg.h>
#include <string.h>

/* No program needs more; keeps positions in an int and sums of sizes far from overflow. */
static const int most_items = 1 << 20;
static const int64_t most_elements = (int64_t)1 << 46;

void maskdm_graph_init(struct maskdm_graph *g, struct maskdm_backend *backend, struct maskdm_params *layout,
                       enum maskdm_dtype dtype)
{
    *g = (struct maskdm_graph){.backend = backend, .layout = layout, .dtype = dtype};
}

void maskdm_graph_free(struct maskdm_graph *g)
{
    maskdm_free(g->val);
    maskdm_free(g->node);
    *g = (struct maskdm_graph){0};
}

maskdm_val maskdm_graph_fail(struct maskdm_graph *g, int code, const char *format, ...)
{
    char text[MASKDM_ERROR_TEXT];
    va_list ap;

    if (g->failure.code)
        return MASKDM_NONE;
    va_start(ap, format);
    maskdm_format_list(text, sizeof text, format, ap);
    va_end(ap);
    if (g->scope[0])
        maskdm_failure_set(&g->failure, code, "%s (in %s)", text, g->scope);
    else
        maskdm_failure_set(&g->failure, code, "%s", text);
    return MASKDM_NONE;
}

/* Room for one more item behind the n that *list holds. */
static int grow(struct maskdm_graph *g, void **list, int *capacity, int n, size_t size)
{
    int want = *capacity ? 2 * *capacity : 64;
    void *larger;

    if (n < *capacity)
        return 1;
    if (want > most_items) {
        maskdm_graph_fail(g, MASKDM_EINVAL, "a program of more than %d values or operations", most_items);
        return 0;
    }
    larger = maskdm_realloc(*list, (size_t)want * size);
    if (!larger) {
        maskdm_graph_fail(g, MASKDM_ENOMEM, "cannot allocate %zu bytes for a program", (size_t)want * size);
        return 0;
    }
    *list = larger;
    *capacity = want;
    return 1;
}

static maskdm_val add_value(struct maskdm_graph *g, enum maskdm_role role, enum maskdm_dtype dtype,
                            const struct maskdm_shape *shape)
{
    void *list = g->val;
    int64_t numel = 1;
    int ok;

    if (g->failure.code)
        return MASKDM_NONE;
    for (int i = 0; i < shape->n; i++)
        if (shape->d[i] < 1 || maskdm_mul_i64(&numel, numel, shape->d[i]) || numel > most_elements)
            return maskdm_graph_fail(g, MASKDM_ESHAPE, "a value whose dimension %d is %lld is empty or too large", i,
                                     (long long)shape->d[i]);
    ok = grow(g, &list, &g->cap_val, g->n_val, sizeof *g->val);
    g->val = list;
    if (!ok)
        return MASKDM_NONE;
    g->val[g->n_val] = (struct maskdm_value){.shape = *shape,
                                             .dtype = dtype,
                                             .role = role,
                                             .param = -1,
                                             .node = -1,
                                             .numel = (size_t)numel,
                                             .at = SIZE_MAX,
                                             .grad_at = SIZE_MAX,
                                             .again_at = SIZE_MAX};
    return g->n_val++;
}

maskdm_val maskdm_graph_input(struct maskdm_graph *g, enum maskdm_dtype dtype, struct maskdm_shape shape)
{
    return add_value(g, MASKDM_INPUT, dtype, &shape);
}

void maskdm_graph_want_gradient(struct maskdm_graph *g, maskdm_val input)
{
    if (input >= 0 && input < g->n_val && g->val[input].role == MASKDM_INPUT && g->val[input].dtype == g->dtype)
        g->val[input].wants_gradient = 1;
    else
        maskdm_graph_fail(g, MASKDM_EINVAL, "value %d is no input that can have a gradient", input);
}

void maskdm_graph_scope(struct maskdm_graph *g, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    maskdm_format_list(g->scope, sizeof g->scope, format, ap);
    va_end(ap);
}

maskdm_val maskdm_graph_param(struct maskdm_graph *g, const char *name, struct maskdm_shape shape,
                              enum maskdm_init init, double scale)
{
    char full[256];
    maskdm_val v;
    int param;

    if (g->failure.code)
        return MASKDM_NONE;
    maskdm_format(full, sizeof full, "%s%s", g->scope, name);
    param = maskdm_params_declare(g->layout, full, &shape, init, scale);
    if (param < 0) {
        maskdm_failure_take(&g->failure, param);
        return MASKDM_NONE;
    }
    for (v = 0; v < g->n_val; v++)
        if (g->val[v].role == MASKDM_PARAM && g->val[v].param == param)
            return v;
    v = add_value(g, MASKDM_PARAM, g->dtype, &shape);
    if (v >= 0)
        g->val[v].param = param;
    return v;
}

void maskdm_graph_output(struct maskdm_graph *g, maskdm_val v)
{
    if (v >= 0 && v < g->n_val && g->val[v].role == MASKDM_ACT)
        g->val[v].kept = 1;
    else
        maskdm_graph_fail(g, MASKDM_EINVAL, "value %d is no result, so it cannot be an output", v);
}

struct maskdm_shape maskdm_graph_shape(const struct maskdm_graph *g, maskdm_val v)
{
    return v >= 0 && v < g->n_val ? g->val[v].shape : (struct maskdm_shape){0};
}

/* Name i of "x w b?": where it begins; its length without the "?", and whether that stands there. */
static const char *input_name(const struct maskdm_op *op, int i, int *length, int *optional)
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

static int fits(struct maskdm_graph *g, const struct maskdm_op *op, int count, const maskdm_val *in)
{
    for (int i = 0; i < count; i++) {
        int length, optional;
        const char *name = input_name(op, i, &length, &optional);

        if (in[i] == MASKDM_NONE ? !optional : in[i] < 0 || in[i] >= g->n_val) {
            maskdm_graph_fail(g, MASKDM_EINVAL, "%s has no %.*s", op->name, length, name);
            return 0;
        }
        for (int j = 0; j < i; j++)
            if (in[i] != MASKDM_NONE && in[i] == in[j]) {
                maskdm_graph_fail(g, MASKDM_EINVAL, "%s gets one value twice, the second time as %.*s", op->name,
                                  length, name);
                return 0;
            }
    }
    return 1;
}

struct maskdm_node *maskdm_graph_node(struct maskdm_graph *g, const struct maskdm_op *op, int count,
                                      const maskdm_val *in)
{
    void *list = g->node;
    struct maskdm_node *n;
    int ok;

    if (g->failure.code || !fits(g, op, count, in))
        return NULL;
    ok = grow(g, &list, &g->cap_node, g->n_node, sizeof *g->node);
    g->node = list;
    if (!ok)
        return NULL;
    n = &g->node[g->n_node++];
    *n = (struct maskdm_node){.op = op, .scratch_at = {SIZE_MAX, SIZE_MAX}};
    for (int i = 0; i < MASKDM_MAX_IN; i++)
        n->in[i] = i < count ? in[i] : MASKDM_NONE;
    for (int i = 0; i < MASKDM_MAX_OUT; i++)
        n->out[i] = MASKDM_NONE;
    return n;
}

maskdm_val maskdm_graph_result(struct maskdm_graph *g, enum maskdm_role role, struct maskdm_shape shape)
{
    maskdm_val v = add_value(g, role, g->dtype, &shape);
    struct maskdm_node *n;
    int i = 0;

    if (v < 0)
        return v;
    n = &g->node[g->n_node - 1];
    while (i < MASKDM_MAX_OUT - 1 && n->out[i] != MASKDM_NONE)
        i++;
    n->out[i] = v;
    g->val[v].node = g->n_node - 1;
    return v;
}
