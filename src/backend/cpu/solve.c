/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums of images, and a solver's step.
 */
#include "backend/cpu/cpu.h"
#include "base/error.h"

#include <math.h>

enum { SPAN = 4096 };

static float mixed_value(const struct mdm_mix *j, int64_t i)
{
    double y = j->a[0] * (double)j->x[0][i];

    for (int k = 1; k < j->count; k++)
        y += j->a[k] * (double)j->x[k][i];
    return (float)y;
}

static void mix_values(const struct mdm_mix *j, int64_t from, int64_t to)
{
    if (!j->channels)
        for (int64_t i = from; i < to; i++)
            j->y[i] = mixed_value(j, i);
    for (int64_t i = from; j->channels && i < to; i++)
        if (i % j->channels < j->mixed)
            j->y[i] = mixed_value(j, i);
}

/* Of the value i whose x, x0 and eps are given. */
static inline double sum(const struct mdm_solve *j, const struct mdm_terms *t, int64_t i, double x, double x0,
                         double eps)
{
    double y = t->x0 * x0 + t->x * x;

    if (t->eps != 0)
        y += t->eps * eps;
    if (t->z != 0)
        y += t->z * (double)j->z[i] * (j->spread ? exp(j->spread_a + j->spread_b * (double)j->spread[i]) : 1);
    for (int k = 0; k < MDM_BEFORE; k++)
        if (t->before[k] != 0)
            y += t->before[k] * (double)j->before[k][i];
    if (t->start != 0)
        y += t->start * (double)j->start[i];
    return y;
}

static double within(double value, double limit)
{
    return value < -limit ? -limit : value > limit ? limit : value;
}

static double between(double value, struct mdm_range r)
{
    return value < r.low ? r.low : value > r.high ? r.high : value;
}

static void solve_values(const struct mdm_solve *j, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        const double x = (double)j->x[i], f = (double)j->f[i], whole = j->clean_x * x + j->clean_f * f;
        const double limit = j->limit ? j->limit[i / j->image] : j->clip;
        const double x0 = j->within    ? between(whole, j->within[i % j->channels])
                          : limit == 0 ? whole
                                       : within(whole, limit) / (j->limit ? limit : 1);
        const double eps =
            j->eps == MDM_EPS_F ? f : (x - j->signal * (j->eps == MDM_EPS_CLIPPED ? x0 : whole)) / j->noise;
        const double y = sum(j, &j->next, i, x, x0, eps);

        if (j->keeps)
            j->start[i] = (float)sum(j, &j->kept, i, x, x0, eps);
        j->x[i] = (float)y;
        if (j->x0)
            j->x0[i] = (float)x0;
    }
}

void mdm_mix_on_host(const struct mdm_mix *job)
{
    mix_values(job, 0, job->n);
}

void mdm_solve_on_host(const struct mdm_solve *job)
{
    solve_values(job, 0, job->n);
}

static int64_t end_of(int64_t span, int64_t n)
{
    return (span + 1) * SPAN < n ? (span + 1) * SPAN : n;
}

static void mix_span(void *arg, int64_t i, int worker)
{
    const struct mdm_mix *j = arg;

    (void)worker;
    mix_values(j, i * SPAN, end_of(i, j->n));
}

int mdm_cpu_mix(struct mdm_backend *b, const struct mdm_mix *j)
{
    struct mdm_mix copy = *j;

    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j->n, SPAN), mix_span, &copy);
}

static void solve_span(void *arg, int64_t i, int worker)
{
    const struct mdm_solve *j = arg;

    (void)worker;
    solve_values(j, i * SPAN, end_of(i, j->n));
}

int mdm_cpu_solve(struct mdm_backend *b, const struct mdm_solve *j)
{
    struct mdm_solve copy = *j;

    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(j->n, SPAN), solve_span, &copy);
}
