/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "solver": a whole run of a sampler, replayed with the answers that the case has for its network.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The library's options for a case. */
struct settings {
    char scheduler[256], sampler[256];
    int told; /* `input.time` is what the network is told, not the process's time */
};

static void skip(struct reference_case *c, const char *what, const char *value)
{
    snprintf(c->skipped, sizeof c->skipped, "%s %s is not built", what, value);
}

static double steps(struct reference_case *c)
{
    return strtod(maskdm_file_metadata(c->file, "steps"), NULL);
}

/* EDM's times from another rho than the library's 7, as the option `times`. */
static int list_times(struct reference_case *c, char *out, size_t room, double rho)
{
    const double first = pow(case_number(c, "config", "sigma_max", 80), 1 / rho);
    const double last = pow(case_number(c, "config", "sigma_min", 0.002), 1 / rho);
    const int count = (int)steps(c);
    size_t n = 0;

    for (int i = 0; i < count && n < room; i++)
        n += (size_t)snprintf(out + n, room - n, "%.17g,",
                              i ? pow(first + i / (double)(count - 1) * (last - first), rho) : pow(first, rho));
    n += n < room ? (size_t)snprintf(out + n, room - n, "0") : 0;
    return n < room ? 0 : -1;
}

static int read_edm(struct reference_case *c, struct settings *s)
{
    char most[32], spacing[160] = "spacing=karras";
    const double rho = case_number(c, "config", "rho", 7);

    snprintf(most, sizeof most, "%s", case_value(c, "config", "S_max", "inf"));
    snprintf(s->scheduler, sizeof s->scheduler, "process=edm prediction=x0 sigma_min=%.17g sigma_max=%.17g",
             case_number(c, "config", "sigma_min", 0.002), case_number(c, "config", "sigma_max", 80));
    if (rho != 7) {
        strcpy(spacing, "times=");
        if (list_times(c, spacing + 6, sizeof spacing - 6, rho)) {
            skip(c, "rho with so many steps,", "");
            return -1;
        }
    }
    snprintf(s->sampler, sizeof s->sampler,
             "sampler=heun steps=%.0f %s clip=false churn=%.17g churn_min=%.17g churn_max=%.17g churn_noise=%.17g",
             steps(c), spacing, case_number(c, "config", "S_churn", 0), case_number(c, "config", "S_min", 0),
             strcmp(most, "inf") ? strtod(most, NULL) : 1e9, case_number(c, "config", "S_noise", 1));
    return 0;
}

static int read_flow(struct reference_case *c, struct settings *s)
{
    static const char *const unknown[] = {"invert_sigmas", "use_karras_sigmas", "use_exponential_sigmas",
                                          "use_beta_sigmas", "stochastic_sampling"};
    const int dynamic = !strcmp(case_value(c, "config", "use_dynamic_shifting", "false"), "true");
    const int linear = !strcmp(case_value(c, "config", "time_shift_type", "exponential"), "linear");
    const double mu = case_number(c, "set_timesteps", "mu", 0);

    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        if (!strcmp(case_value(c, "config", unknown[i], "false"), "true")) {
            skip(c, "setting", unknown[i]);
            return -1;
        }
    if (strcmp(case_value(c, "config", "shift_terminal", "null"), "null") ||
        case_number(c, "config", "num_train_timesteps", 1000) != 1000) {
        skip(c, "setting", "shift_terminal or num_train_timesteps");
        return -1;
    }
    s->told = 1;
    snprintf(s->scheduler, sizeof s->scheduler, "process=flow time_shift=%.17g",
             !dynamic ? case_number(c, "config", "shift", 1)
             : linear ? mu
                      : exp(mu));
    snprintf(s->sampler, sizeof s->sampler, "sampler=euler steps=%.0f spacing=%s clip=false", steps(c),
             dynamic ? "flux" : "sd3");
    return 0;
}

static int read_jit(struct reference_case *c, struct settings *s)
{
    const int heun = !strcmp(maskdm_file_metadata(c->file, "scheduler"), "jit_heun");

    s->told = 1;
    snprintf(s->scheduler, sizeof s->scheduler,
             "process=flow prediction=x0 flow_time=data time_scale=1 weight_floor=%.17g noise_scale=%.17g",
             case_number(c, "config", "t_eps", 0.05), case_number(c, "config", "noise_scale", 1));
    snprintf(s->sampler, sizeof s->sampler, "sampler=%s steps=%.0f clip=false", heun ? "heun" : "euler", steps(c));
    return 0;
}

static const struct {
    const char *scheduler;
    int (*read)(struct reference_case *c, struct settings *s);
} types[] = {{"edm_heun", read_edm},
             {"FlowMatchEulerDiscreteScheduler", read_flow},
             {"jit_euler", read_jit},
             {"jit_heun", read_jit}};

static maskdm_solver *make_solver(struct reference_case *c, struct settings *s)
{
    const char *name = maskdm_file_metadata(c->file, "scheduler");
    maskdm_scheduler *scheduler;
    maskdm_solver *solver = NULL;
    maskdm_options *o = NULL;
    size_t i = 0;

    while (name && i < sizeof types / sizeof *types && strcmp(types[i].scheduler, name) != 0)
        i++;
    if (!name || i == sizeof types / sizeof *types) {
        skip(c, "scheduler", name ? name : "(none)");
        return NULL;
    }
    if (types[i].read(c, s))
        return NULL;
    scheduler = case_scheduler_of(c, s->scheduler);
    if (scheduler && !case_ok(c, maskdm_options_create(&o, "sampler"), "sampler") &&
        !case_ok(c, maskdm_options_parse(o, s->sampler), s->sampler))
        case_ok(c, maskdm_solver_create(&solver, scheduler, o), s->sampler);
    maskdm_options_release(&o);
    maskdm_scheduler_release(&scheduler);
    return solver;
}

/* What was seen on the way, one row of values an evaluation or a step. */
struct trace {
    int64_t evaluations, steps, n;
    float *x, *prediction, *noise;
    float *before, *input, *after; /* x at each evaluation, the network's input, x after each step */
    double *times;
};

static int open_trace(struct reference_case *c, struct trace *t)
{
    t->evaluations = case_dim(c, "input.prediction", 0);
    t->steps = case_dim(c, "expect.x", 0);
    t->x = case_f32(c, "input.x_T", &t->n);
    t->prediction = case_f32(c, "input.prediction", NULL);
    t->noise = case_has(c, "input.noise") ? case_f32(c, "input.noise", NULL) : NULL;
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
        if (case_ok(c, maskdm_solver_step(solver, t->x, t->prediction + e * t->n, noise, NULL), "the step"))
            return -1;
        if (!pairs || e % 2 || e + 1 == t->evaluations)
            memcpy(t->after + step * t->n, t->x, (size_t)t->n * sizeof *t->x);
    }
    return 0;
}

void case_solver(struct reference_case *c)
{
    struct settings s = {0};
    struct trace t = {0};
    maskdm_solver *solver = make_solver(c, &s);

    if (solver && !open_trace(c, &t) && !case_ok(c, maskdm_solver_begin(solver, 1, t.n, t.x), "x_T") &&
        !replay(c, solver, &t)) {
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
