/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "solver": a whole run of a sampler, replayed with the answers that the case has for its network.
 */
#include "solver_settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

maskdm_solver *solver_make(struct reference_case *c, struct solver_settings *s, const char *more)
{
    maskdm_scheduler *scheduler;
    maskdm_solver *solver = NULL;
    maskdm_options *o = NULL;

    if (solver_settings_read(c, s))
        return NULL;
    scheduler = case_scheduler_of(c, s->scheduler);
    if (scheduler && !case_ok(c, maskdm_options_create(&o, "sampler"), "sampler") &&
        !case_ok(c, maskdm_options_parse(o, s->sampler), s->sampler) &&
        !case_ok(c, maskdm_options_parse(o, more), more))
        case_ok(c, maskdm_solver_create(&solver, scheduler, o), s->sampler);
    maskdm_options_release(&o);
    maskdm_scheduler_release(&scheduler);
    return solver;
}

/* What was seen on the way, one row of values an evaluation or a step. */
struct trace {
    int64_t evaluations, steps, batch, n;     /* n: of all images */
    float *x, *prediction, *noise, *variance; /* the last two may be NULL */
    float *before, *input, *after;            /* x at each evaluation, the network's input, x after each step */
    double *times;
};

static int open_trace(struct reference_case *c, struct trace *t)
{
    t->evaluations = case_dim(c, "input.prediction", 0);
    t->steps = case_dim(c, "expect.x", 0);
    t->batch = case_dim(c, "input.x_T", 0);
    t->x = case_f32(c, "input.x_T", &t->n);
    t->prediction = case_f32(c, "input.prediction", NULL);
    t->noise = case_has(c, "input.noise") ? case_f32(c, "input.noise", NULL) : NULL;
    t->variance = case_has(c, "input.variance") ? case_f32(c, "input.variance", NULL) : NULL;
    t->times = malloc((size_t)t->evaluations * sizeof *t->times + 1);
    t->before = malloc((size_t)(t->evaluations * t->n) * sizeof *t->before + 1);
    t->input = malloc((size_t)(t->evaluations * t->n) * sizeof *t->input + 1);
    t->after = malloc((size_t)(t->steps * t->n) * sizeof *t->after + 1);
    return t->x && t->prediction && t->times && t->before && t->input && t->after ? 0 : -1;
}

static void close_trace(struct trace *t)
{
    free(t->x);
    free(t->prediction);
    free(t->noise);
    free(t->variance);
    free(t->times);
    free(t->before);
    free(t->input);
    free(t->after);
}

/* The programs draw noise in every step, used or not. */
static int replay(struct reference_case *c, maskdm_solver *solver, struct trace *t)
{
    const int pairs = t->evaluations > t->steps;

    if (maskdm_solver_evaluations(solver) != t->evaluations) {
        case_fail(c, "%lld evaluations, expected %lld", (long long)maskdm_solver_evaluations(solver),
                  (long long)t->evaluations);
        return -1;
    }
    for (int64_t e = 0; e < t->evaluations; e++) {
        const int64_t step = pairs ? e / 2 : e;
        const float *noise = t->noise && maskdm_solver_takes_noise(solver) ? t->noise + step * t->n : NULL;
        float *input = t->input + e * t->n;

        if (case_ok(c, maskdm_solver_input(solver, t->x, noise, input, &t->times[e]), "the input"))
            return -1;
        memcpy(t->before + e * t->n, t->x, (size_t)t->n * sizeof *t->x);
        if (t->variance && case_ok(c, maskdm_solver_set_variance(solver, t->variance + e * t->n), "the variance"))
            return -1;
        if (case_ok(c, maskdm_solver_step(solver, t->x, t->prediction + e * t->n, noise, NULL), "the step"))
            return -1;
        if (!pairs || e % 2 || e + 1 == t->evaluations)
            memcpy(t->after + step * t->n, t->x, (size_t)t->n * sizeof *t->x);
    }
    return 0;
}

/* The program's x, whose noise-to-signal ratios stand in the case: after a step that of the next one. */
static void by_ratio(struct reference_case *c, struct trace *t)
{
    const int pairs = t->evaluations > t->steps;
    double *at = case_f64(c, "expect.sigma_eval", NULL), *all = case_f64(c, "expect.sigmas", NULL);

    for (int64_t e = 0; at && all && e < t->evaluations; e++)
        for (int64_t i = 0; i < t->n; i++)
            t->before[e * t->n + i] *= (float)sqrt(1 + at[e] * at[e]);
    for (int64_t s = 0; at && all && s < t->steps; s++)
        for (int64_t i = 0; i < t->n; i++) {
            const double ratio = all[pairs ? 2 * s + 1 : s + 1];

            t->after[s * t->n + i] *= (float)sqrt(1 + ratio * ratio);
        }
    free(at);
    free(all);
}

/* From a case's own times the library goes out with x as it is; the program has scaled it. */
static int begin(struct reference_case *c, maskdm_solver *solver, const struct solver_settings *s, struct trace *t)
{
    double *at, *most;

    if (open_trace(c, t))
        return -1;
    if (s->by_ratio && s->given) {
        at = case_f64(c, "expect.sigma_eval", NULL);
        most = case_f64(c, "expect.init_sigma", NULL);
        for (int64_t i = 0; at && most && i < t->n; i++)
            t->x[i] *= (float)(*most / sqrt(1 + at[0] * at[0]));
        free(at);
        free(most);
    }
    return case_ok(c, maskdm_solver_begin(solver, t->batch, t->n / t->batch, t->x), "x_T");
}

void case_solver(struct reference_case *c)
{
    struct solver_settings s = {0};
    struct trace t = {0};
    maskdm_solver *solver = solver_make(c, &s, "");

    if (solver && !begin(c, solver, &s, &t) && !replay(c, solver, &t)) {
        if (s.by_ratio)
            by_ratio(c, &t);
        if (!s.told)
            case_ok(c, (int)maskdm_solver_times(solver, t.times, t.evaluations), "times");
        case_compare(c, "input.time", t.times, t.evaluations, TENSOR_BOUND);
        case_compare_f32(c, "expect.x_eval", t.before, t.evaluations * t.n, TENSOR_BOUND);
        if (case_has(c, "expect.model_input"))
            case_compare_f32(c, "expect.model_input", t.input, t.evaluations * t.n, TENSOR_BOUND);
        case_compare_f32(c, "expect.x", t.after, t.steps * t.n, TENSOR_BOUND);
    }
    close_trace(&t);
    maskdm_solver_release(&solver);
}
