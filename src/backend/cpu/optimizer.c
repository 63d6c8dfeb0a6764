/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The optimizer's passes over a parameter block: gradient norm, AdamW with the moving average, the average alone.
 */
#include "backend/cpu/cpu.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

enum { SPAN = 16384, PARTS = 256 };

double mdm_cpu_sum_squares_c(const float *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

struct squares {
    const struct mdm_cpu_table *table;
    const float *x;
    size_t n, step;
    double part[PARTS];
};

static void square_span(void *arg, int64_t i, int worker)
{
    struct squares *j = arg;
    size_t from = (size_t)i * j->step, n = j->n - from < j->step ? j->n - from : j->step;

    (void)worker;
    j->part[i] = j->table->sum_squares(j->x + from, n);
}

int mdm_cpu_sum_squares(struct mdm_backend *b, double *out, const float *x, size_t n)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct squares j = {.table = &cpu->f32, .x = x, .n = n, .step = SPAN};
    int64_t parts;

    if (n / PARTS >= j.step)
        j.step = (n / PARTS + 16) & ~(size_t)15;
    parts = mdm_pieces((int64_t)n, (int64_t)j.step);
    MDM_TRY(mdm_pool_run(cpu->pool, parts, square_span, &j));
    *out = 0;
    for (int64_t i = 0; i < parts; i++)
        *out += j.part[i];
    return MASKDM_OK;
}

void mdm_cpu_adamw_c(const struct mdm_optimizer *a, size_t from, size_t to)
{
    float scale = (float)a->grad_scale, keep = (float)(1 - a->lr * a->weight_decay), step = (float)(a->lr / a->bias1);
    float b1 = (float)a->beta1, b2 = (float)a->beta2, c1 = (float)(1 - a->beta1), c2 = (float)(1 - a->beta2);
    float root = (float)(1 / sqrt(a->bias2)), eps = (float)a->eps, pull = (float)(1 - a->ema_decay);

    for (size_t i = from; i < to; i++) {
        float g = a->g[i] * scale, m, v, w;
        m = a->m[i] = b1 * a->m[i] + c1 * g;
        v = a->v[i] = b2 * a->v[i] + c2 * g * g;
        w = a->w[i] = a->w[i] * keep - step * m / (sqrtf(v) * root + eps);
        a->g[i] = 0;
        if (a->ema && a->ema_mode == 1)
            a->ema[i] = w;
        else if (a->ema && a->ema_mode == 2)
            a->ema[i] += pull * (w - a->ema[i]);
    }
}

struct update {
    const struct mdm_cpu_table *table;
    const struct mdm_optimizer *a;
};

static void update_span(void *arg, int64_t i, int worker)
{
    const struct update *j = arg;
    size_t from = (size_t)i * SPAN, to = from + SPAN < j->a->n ? from + SPAN : j->a->n;

    (void)worker;
    j->table->adamw(j->a, from, to);
}

int mdm_cpu_adamw(struct mdm_backend *b, const struct mdm_optimizer *a)
{
    struct mdm_cpu *cpu = mdm_cpu_of(b);
    struct update j = {.table = &cpu->f32, .a = a};

    return mdm_pool_run(cpu->pool, mdm_pieces((int64_t)a->n, SPAN), update_span, &j);
}

struct average {
    float *ema, pull;
    const float *w;
    size_t n;
    int mode;
};

static void average_span(void *arg, int64_t i, int worker)
{
    const struct average *j = arg;
    size_t from = (size_t)i * SPAN, to = from + SPAN < j->n ? from + SPAN : j->n;

    (void)worker;
    if (j->mode == 1)
        memcpy(j->ema + from, j->w + from, (to - from) * sizeof(float));
    else if (j->mode == 2)
        for (size_t k = from; k < to; k++)
            j->ema[k] += j->pull * (j->w[k] - j->ema[k]);
}

int mdm_cpu_ema(struct mdm_backend *b, float *ema, const float *w, size_t n, int mode, double decay)
{
    struct average j = {.ema = ema, .pull = (float)(1 - decay), .w = w, .n = n, .mode = mode};

    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces((int64_t)n, SPAN), average_span, &j);
}
