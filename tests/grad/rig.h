/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gradients against central differences, all in double. A rig is a program on the CPU backend with host copies of
 * what it reads. The scalar that is differentiated is a fixed weighted sum of every output. The arena is poisoned
 * before every forward, and parameter gradients start from something other than zero, since they add.
 */
#ifndef MASKDM_TESTS_RIG_H
#define MASKDM_TESTS_RIG_H

#include "backend/cpu/cpu.h"
#include "graph/graph.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RIG_VALUES = 512 };

struct rig {
    struct mdm_backend *backend;
    struct mdm_params layout;
    struct mdm_graph g;
    void *host[RIG_VALUES]; /* of inputs: what they hold */
    double *weights, *gradients;
    unsigned char *arena;
    uint64_t state;
};

/* Uniform in [-1, 1). */
static inline double rig_draw(struct rig *r)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (double)(r->state >> 11) / (double)(1ull << 52) - 1;
}

static inline void rig_open(struct rig *r, uint64_t seed)
{
    const struct mdm_device_settings settings = {.workers = 2, .guard = 1, .instruction_set = "auto"};

    *r = (struct rig){.state = seed};
    ck_assert_msg(mdm_cpu_open(&r->backend, &settings) == 0, "%s", mdm_error_text());
    mdm_graph_init(&r->g, r->backend, &r->layout, MDM_F64);
}

static inline void rig_close(struct rig *r)
{
    for (int v = 0; v < RIG_VALUES; v++)
        free(r->host[v]);
    free(r->weights);
    free(r->gradients);
    free(r->arena);
    mdm_graph_free(&r->g);
    mdm_params_free(&r->layout);
    r->backend->v->close(r->backend);
}

static inline size_t rig_bytes(const struct rig *r, mdm_val v)
{
    return r->g.val[v].numel * mdm_dtype_size(r->g.val[v].dtype);
}

/* The host copy of an input, made and filled with random numbers (integers: zero) on first sight. */
static inline void *rig_host(struct rig *r, mdm_val v)
{
    ck_assert(v >= 0 && v < RIG_VALUES && r->g.val[v].role == MDM_INPUT);
    if (!r->host[v]) {
        r->host[v] = calloc(1, rig_bytes(r, v));
        for (size_t i = 0; i < r->g.val[v].numel && r->g.val[v].dtype == MDM_F64; i++)
            ((double *)r->host[v])[i] = rig_draw(r);
    }
    return r->host[v];
}

static inline void rig_plan(struct rig *r, int flags)
{
    ck_assert_msg(mdm_graph_plan(&r->g, flags) == 0, "%s", mdm_error_text());
    free(r->arena);
    r->arena = aligned_alloc(64, r->g.arena_bytes);
    mdm_graph_bind(&r->g, r->arena);
    for (int v = 0; v < r->g.n_val; v++)
        if (r->g.val[v].role == MDM_INPUT)
            rig_host(r, v);
    if (r->weights)
        return;
    r->weights = calloc(r->layout.length, sizeof(double));
    r->gradients = calloc(r->layout.length, sizeof(double));
    for (size_t i = 0; i < r->layout.length; i++)
        r->weights[i] = 0.7 * rig_draw(r);
}

static inline double rig_factor(mdm_val v, size_t i)
{
    return cos(0.7 * (double)i + (double)v);
}

static inline double rig_forward(struct rig *r)
{
    double sum = 0;

    memset(r->arena, 0xff, r->g.arena_bytes);
    for (int v = 0; v < r->g.n_val; v++)
        if (r->g.val[v].role == MDM_INPUT)
            memcpy(mdm_graph_data(&r->g, v), r->host[v], rig_bytes(r, v));
    ck_assert_msg(mdm_graph_forward(&r->g, r->weights, NULL) == 0, "%s", mdm_error_text());
    for (int v = 0; v < r->g.n_val; v++)
        for (size_t i = 0; r->g.val[v].kept && i < r->g.val[v].numel; i++)
            sum += rig_factor(v, i) * ((double *)mdm_graph_data(&r->g, v))[i];
    return sum;
}

static inline void rig_backward(struct rig *r)
{
    (void)rig_forward(r);
    for (size_t i = 0; i < r->layout.length; i++)
        r->gradients[i] = 0.25;
    for (int v = 0; v < r->g.n_val; v++)
        for (size_t i = 0; r->g.val[v].kept && i < r->g.val[v].numel; i++)
            ((double *)mdm_graph_gradient(&r->g, v))[i] = rig_factor(v, i);
    ck_assert_msg(mdm_graph_backward(&r->g, r->weights, r->gradients, NULL) == 0, "%s", mdm_error_text());
}

/* Every `step`-th of n elements at x, whose gradients are said to be dx + offset. */
static inline void rig_compare(struct rig *r, const char *what, const char *name, double *x, const double *dx,
                               size_t n, size_t step, double offset)
{
    const double h = 1e-5, bound = 1e-7;
    double error = 0, norm = 0;

    for (size_t i = 0; i < n; i += step) {
        double kept = x[i], up, down, d;
        x[i] = kept + h;
        up = rig_forward(r);
        x[i] = kept - h;
        down = rig_forward(r);
        x[i] = kept;
        d = (up - down) / (2 * h);
        error += (dx[i] - offset - d) * (dx[i] - offset - d);
        norm += d * d;
    }
    ck_assert_msg(sqrt(error) <= bound * (sqrt(norm) + 0.1), "%s: gradient of %s is off by %.3g of %.3g", what, name,
                  sqrt(error), sqrt(norm));
}

/* All wanted inputs and all parameters; a frozen one's gradient is left as it was. */
static inline void rig_check(struct rig *r, const char *what, size_t step)
{
    double *wanted[RIG_VALUES] = {0};

    rig_backward(r);
    for (int v = 0; v < r->g.n_val; v++)
        if (r->g.val[v].wants_gradient) {
            ck_assert_msg(mdm_graph_gradient(&r->g, v) != NULL, "%s: no gradient for input %d", what, v);
            wanted[v] = malloc(rig_bytes(r, v));
            memcpy(wanted[v], mdm_graph_gradient(&r->g, v), rig_bytes(r, v));
        }
    for (int v = 0; v < r->g.n_val; v++)
        if (wanted[v]) {
            rig_compare(r, what, "an input", r->host[v], wanted[v], r->g.val[v].numel, step, 0);
            free(wanted[v]);
        }
    for (int i = 0; i < r->layout.count; i++) {
        const struct mdm_param *p = &r->layout.list[i];
        for (int64_t k = 0; p->frozen && k < mdm_shape_numel(&p->shape); k++)
            ck_assert_double_eq(r->gradients[p->at + (size_t)k], 0.25);
        if (p->frozen)
            continue;
        rig_compare(r, what, p->name, r->weights + p->at, r->gradients + p->at,
                    (size_t)mdm_shape_numel(&p->shape), step, 0.25);
    }
}

#endif
