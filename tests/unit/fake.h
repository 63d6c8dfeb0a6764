/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A backend whose kernels compute nothing sensible, but read every value that they may read and write every value
 * that they must write, so that a plan which lets two values meet in memory changes the result.
 */
#ifndef MASKDM_TESTS_FAKE_H
#define MASKDM_TESTS_FAKE_H

#include "graph/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_SCRATCH = 100 };

static inline float fake_squash(float x)
{
    return x / (1 + fabsf(x));
}

static inline void fake_scribble(const struct mdm_call *c)
{
    if (c->scratch)
        memset(c->scratch, 0xff, FAKE_SCRATCH);
}

/* Values count as floats whatever they are: there are at least as many. */
static inline float fake_read(const void *x, const struct mdm_shape *s, int64_t i)
{
    return x ? ((const float *)x)[i % mdm_shape_numel(s)] : 0;
}

/* Results that can be made anew are a function of what that reads: the input, or the sum, and w and b where there
 * are. */
static inline int fake_remake(struct mdm_backend *b, const struct mdm_call *c)
{
    int sum = c->op == MDM_OP_ADD_NORM;
    const void *x = sum ? c->out[0] : c->in[0];
    float *y = c->out[sum];

    (void)b;
    for (int64_t i = 0; i < mdm_shape_numel(c->out_shape[sum]); i++)
        y[i] = fake_squash(fake_read(x, c->out_shape[sum], i) + fake_read(c->in[sum + 1], c->in_shape[sum + 1], i) -
                           fake_read(c->in[sum + 2], c->in_shape[sum + 2], i + 1));
    return MASKDM_OK;
}

static inline int fake_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    (void)b;
    fake_scribble(c);
    for (int k = 0; k < MDM_MAX_OUT; k++)
        for (int64_t i = 0; c->out[k] && i < mdm_shape_numel(c->out_shape[k]); i++) {
            float s = 0.125f * (float)(k + 1) + 0.01f * (float)(i % 13);
            for (int j = 0; j < MDM_MAX_IN; j++)
                s += 0.5f / (float)(j + 1 + k) * fake_read(c->in[j], c->in_shape[j], i + j);
            ((float *)c->out[k])[i] = fake_squash(s);
        }
    if (c->op == MDM_OP_LAYERNORM || c->op == MDM_OP_GELU || (c->op == MDM_OP_ADD_NORM && c->out[0]))
        return fake_remake(b, c);
    return MASKDM_OK;
}

static inline int fake_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    (void)b;
    fake_scribble(c);
    for (int j = 0; j < MDM_MAX_IN; j++)
        for (int64_t i = 0; c->din[j] && i < mdm_shape_numel(c->in_shape[j]); i++) {
            float s = 0.0625f, *d = (float *)c->din[j] + i;
            int alike = j == 1 && (c->op == MDM_OP_ADD || c->op == MDM_OP_ADD_NORM) ? 0 : j; /* as twins have to be */
            for (int k = 0; k < MDM_MAX_OUT; k++)
                s += fake_read(c->dout[k], c->out_shape[k], i + k) + fake_read(c->out[k], c->out_shape[k], i + 2 * k);
            for (int k = 0; k < MDM_MAX_IN; k++)
                s += 0.5f / (float)(alike + k + 1) * fake_read(c->in[k], c->in_shape[k], i + k);
            *d = fake_squash(s) + (c->add[j] ? *d : 0);
        }
    return MASKDM_OK;
}

static inline size_t fake_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    (void)b;
    (void)train;
    return c->op % 2 ? FAKE_SCRATCH : 0;
}

static inline int fake_wait(struct mdm_backend *b)
{
    (void)b;
    return MASKDM_OK;
}

/* Everything in float32, nothing in double. */
static inline const struct mdm_kernel *fake_kernel(struct mdm_backend *b, enum mdm_op_id op,
                                                   enum mdm_dtype dtype)
{
    static const struct mdm_kernel kernel = {.forward = fake_forward,
                                               .backward = fake_backward,
                                               .scratch = fake_scratch,
                                               .remake = fake_remake};

    (void)b;
    (void)op;
    return dtype == MDM_F32 ? &kernel : NULL;
}

static const struct mdm_backend_vtbl fake_vtbl = {.name = "fake", .wait = fake_wait, .kernel = fake_kernel};
static struct mdm_backend fake_backend = {&fake_vtbl};

/* One training step from a poisoned arena. Copies every output, its gradient untouched, and the parameters'
 * gradients: `result` has room for `room` floats; the number written is returned, or a negative status. */
static inline int64_t fake_step(struct mdm_graph *g, float *result, int64_t room)
{
    unsigned char *arena = aligned_alloc(64, (g->arena_bytes + 63) / 64 * 64);
    float *block = calloc(2 * g->layout->length, sizeof *block), *gradients = block + g->layout->length;
    int64_t n = 0;
    int rc;

    memset(arena, 0xff, g->arena_bytes);
    mdm_graph_bind(g, arena);
    for (size_t i = 0; i < g->layout->length; i++)
        block[i] = 0.001f * (float)(i % 997) - 0.5f;
    for (int v = 0; v < g->n_val; v++)
        for (size_t i = 0; g->val[v].role == MDM_INPUT && i < g->val[v].numel; i++)
            ((float *)mdm_graph_data(g, v))[i] = 0.03f * (float)((i + (size_t)v) % 31) - 0.4f;
    rc = mdm_graph_forward(g, block, NULL);
    for (int v = 0; v < g->n_val; v++)
        for (size_t i = 0; g->val[v].kept && mdm_graph_gradient(g, v) && i < g->val[v].numel; i++)
            ((float *)mdm_graph_gradient(g, v))[i] = 0.02f * (float)(i % 17) - 0.1f;
    if (rc == MASKDM_OK && g->flags & MDM_PLAN_TRAIN)
        rc = mdm_graph_backward(g, block, gradients, NULL);
    for (int v = 0; v < g->n_val; v++)
        for (size_t i = 0; i < g->val[v].numel && n + 1 < room; i++) {
            const float *x = mdm_graph_data(g, v), *dx = mdm_graph_gradient(g, v);
            if (g->val[v].kept)
                result[n++] = x[i];
            if (g->val[v].wants_gradient && dx)
                result[n++] = dx[i];
        }
    for (size_t i = 0; i < g->layout->length && n < room; i++)
        result[n++] = gradients[i];
    free(block);
    free(arena);
    return rc < 0 ? rc : n;
}

#endif
