/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "guidance": a run of a sampler with what two networks answered, or DiT's combination of two answers alone.
 */
#include "solver_settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As options of a sampler. */
struct guided {
    char text[256];
};

static double two(const char *list, double *second)
{
    char *end;
    const double first = strtod(list, &end);

    *second = strtod(end + strspn(end, ", "), NULL);
    return first;
}

/* A scale of 1 guides nowhere, and the library takes no interval for it. */
static void write(struct guided *g, const char *scale, double low, double high, const char *ends)
{
    int n = snprintf(g->text, sizeof g->text, " guidance=%s", scale);

    if (strtod(scale, NULL) != 1)
        snprintf(g->text + n, sizeof g->text - (size_t)n, " guidance_low=%.17g guidance_high=%.17g guidance_ends=%s",
                 low, high, ends);
}

/* JiT's interval is one of times that run from noise to data, without its ends. */
static void read_jit(struct reference_case *c, struct guided *g)
{
    const double noise = case_number(c, "config", "noise_scale", 1);
    double last;
    const double first = two(case_value(c, "config", "cfg_interval", "0, 1"), &last);

    write(g, case_value(c, "config", "cfg_scale", "1"), last < 1 ? noise * (1 - last) / last : 0,
          first > 0 ? noise * (1 - first) / first : 0, "false");
}

static void read_other(struct reference_case *c, struct guided *g)
{
    const char *scale = maskdm_file_metadata(c->file, "guidance"), *list;
    const char *interval = maskdm_file_metadata(c->file, "sigma_interval");
    double low = 0, high = 0;

    list = interval ? interval + strspn(interval, " [") : NULL;
    if (list)
        low = two(list, &high);
    write(g, scale ? scale : "1", low, high, "true");
}

/* What was seen on the way, one row of values an evaluation or a step. */
struct trace {
    int64_t evaluations, steps, n;
    float *x, *strong, *weak, *noise;
    float *before, *guided, *after; /* x at each evaluation, what was predicted, x after each step */
    double *times, *inside;
    int guides; /* anywhere; a scale of 1 does not, inside or not */
};

static float *rows(int64_t count, int64_t n)
{
    return malloc((size_t)(count * n) * sizeof(float) + 1);
}

static int open_trace(struct reference_case *c, struct trace *t)
{
    const int labelled = case_has(c, "input.prediction_cond");

    t->evaluations = case_dim(c, labelled ? "input.prediction_cond" : "input.prediction", 0);
    t->steps = case_dim(c, "expect.x", 0);
    t->x = case_f32(c, "input.x_T", &t->n);
    t->strong = case_f32(c, labelled ? "input.prediction_cond" : "input.prediction", NULL);
    t->weak = case_f32(c, labelled ? "input.prediction_uncond" : "input.prediction_guide", NULL);
    t->noise = case_has(c, "input.noise") ? case_f32(c, "input.noise", NULL) : NULL;
    t->times = malloc((size_t)t->evaluations * sizeof *t->times + 1);
    t->inside = malloc((size_t)t->evaluations * sizeof *t->inside + 1);
    t->before = rows(t->evaluations, t->n);
    t->guided = rows(t->evaluations, t->n);
    t->after = rows(t->steps, t->n);
    return t->x && t->strong && t->weak && t->times && t->inside && t->before && t->guided && t->after ? 0 : -1;
}

static void close_trace(struct trace *t)
{
    free(t->x);
    free(t->strong);
    free(t->weak);
    free(t->noise);
    free(t->times);
    free(t->inside);
    free(t->before);
    free(t->guided);
    free(t->after);
}

/* EDM2 draws noise in the steps that it adds some in, and in no other. */
static int evaluate(struct reference_case *c, maskdm_solver *solver, struct trace *t, int64_t e, int64_t *drawn)
{
    const int noisy = t->noise && maskdm_solver_takes_noise(solver);
    const float *noise = noisy ? t->noise + (*drawn)++ * t->n : NULL;
    float *prediction = t->guided + e * t->n;

    if (case_ok(c, maskdm_solver_input(solver, t->x, noise, NULL, &t->times[e]), "the input"))
        return -1;
    memcpy(t->before + e * t->n, t->x, (size_t)t->n * sizeof *t->x);
    memcpy(prediction, t->strong + e * t->n, (size_t)t->n * sizeof *prediction);
    t->inside[e] = maskdm_solver_guidance(solver) != 1;
    t->guides |= maskdm_solver_guidance(solver) != 1;
    if (case_ok(c, maskdm_solver_guide(solver, 1, prediction, t->weak + e * t->n), "the guidance"))
        return -1;
    return case_ok(c, maskdm_solver_step(solver, t->x, prediction, noise, NULL), "the step");
}

static int replay(struct reference_case *c, maskdm_solver *solver, struct trace *t)
{
    const int pairs = t->evaluations > t->steps;
    int64_t drawn = 0;

    if (maskdm_solver_evaluations(solver) != t->evaluations) {
        case_fail(c, "%lld evaluations, expected %lld", (long long)maskdm_solver_evaluations(solver),
                  (long long)t->evaluations);
        return -1;
    }
    for (int64_t e = 0; e < t->evaluations; e++) {
        if (evaluate(c, solver, t, e, &drawn))
            return -1;
        if (!pairs || e % 2 || e + 1 == t->evaluations)
            memcpy(t->after + (pairs ? e / 2 : e) * t->n, t->x, (size_t)t->n * sizeof *t->x);
    }
    return 0;
}

static void judge(struct reference_case *c, const maskdm_solver *solver, struct trace *t, int told)
{
    if (!told)
        case_ok(c, (int)maskdm_solver_times(solver, t->times, t->evaluations), "times");
    case_compare(c, "input.time", t->times, t->evaluations, TENSOR_BOUND);
    if (case_has(c, "expect.inside") && t->guides)
        case_compare(c, "expect.inside", t->inside, t->evaluations, TENSOR_BOUND);
    if (case_has(c, "expect.guided"))
        case_compare_f32(c, "expect.guided", t->guided, t->evaluations * t->n, TENSOR_BOUND);
    if (case_has(c, "expect.x_eval"))
        case_compare_f32(c, "expect.x_eval", t->before, t->evaluations * t->n, TENSOR_BOUND);
    case_compare_f32(c, "expect.x", t->after, t->steps * t->n, TENSOR_BOUND);
}

static void run_sampler(struct reference_case *c)
{
    struct trace t = {0};
    struct guided g;
    struct solver_settings s = {0};
    maskdm_solver *solver;

    if (!strncmp(maskdm_file_metadata(c->file, "scheduler"), "jit", 3))
        read_jit(c, &g);
    else
        read_other(c, &g);
    solver = solver_make(c, &s, g.text);
    if (solver && !open_trace(c, &t) && !case_ok(c, maskdm_solver_begin(solver, 1, t.n, t.x), "x_T") &&
        !replay(c, solver, &t))
        judge(c, solver, &t, s.told);
    close_trace(&t);
    maskdm_solver_release(&solver);
}

/* ---- DiT.forward_with_cfg ---- */

/* Any solver's: what is combined at one time does not depend on it. */
static maskdm_solver *open_solver(struct reference_case *c, const char *text, int64_t batch, int64_t n, float *x)
{
    maskdm_scheduler *scheduler = case_scheduler_of(c, "");
    maskdm_solver *solver = NULL;
    maskdm_options *o = NULL;

    if (scheduler && !case_ok(c, maskdm_options_create(&o, "sampler"), "sampler") &&
        !case_ok(c, maskdm_options_parse(o, text), text) &&
        !case_ok(c, maskdm_solver_create(&solver, scheduler, o), text) &&
        !case_ok(c, maskdm_solver_begin(solver, batch, n, x), "x_T"))
        case_ok(c, maskdm_solver_input(solver, x, NULL, NULL, NULL), "the input");
    maskdm_options_release(&o);
    maskdm_scheduler_release(&scheduler);
    return solver;
}

/* Both halves of the batch have the guided channels, and each its own others. */
static void run_dit(struct reference_case *c)
{
    const int64_t batch = case_dim(c, "input.output_cond", 0), channels = case_dim(c, "input.output_cond", 1);
    const int64_t n = channels * case_dim(c, "input.output_cond", 2) * case_dim(c, "input.output_cond", 3);
    float *with = case_images(c, "input.output_cond", 1, 0), *without = case_images(c, "input.output_uncond", 1, 0);
    float *x = calloc((size_t)(batch * n) + 1, sizeof *x), *out = rows(2 * batch, n);
    const char *count = maskdm_file_metadata(c->file, "channels_guided");
    const int64_t guided = strtol(count, NULL, 10);
    maskdm_solver *solver;
    char text[128];

    snprintf(text, sizeof text, "sampler=ddim steps=2 guidance=%s", maskdm_file_metadata(c->file, "guidance"));
    if (strtod(maskdm_file_metadata(c->file, "guidance"), NULL) != 1)
        snprintf(text + strlen(text), sizeof text - strlen(text), " guidance_channels=%s", count);
    solver = open_solver(c, text, batch, n, x);
    if (with && without && x && out && !c->failed) {
        memcpy(out, with, (size_t)(batch * n) * sizeof *out);
        memcpy(out + batch * n, without, (size_t)(batch * n) * sizeof *out);
        case_ok(c, maskdm_solver_guide(solver, channels, out, without), "the guidance");
        for (int64_t i = 0; i < batch * n; i++)
            if (i % channels < guided)
                out[batch * n + i] = out[i];
        case_compare_images(c, "expect.output", out, TENSOR_BOUND);
    }
    maskdm_solver_release(&solver);
    free(with);
    free(without);
    free(x);
    free(out);
}

void case_guidance(struct reference_case *c)
{
    if (case_has(c, "input.output_cond"))
        run_dit(c);
    else if (maskdm_file_metadata(c->file, "scheduler"))
        run_sampler(c);
    else
        snprintf(c->skipped, sizeof c->skipped, "guidance without a scheduler is not built");
}
