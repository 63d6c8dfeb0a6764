/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "consistency": a step of consistency tuning, from the drawn numbers to the gradient, with the answers that the
 * case has for its network at both levels of noise. The program's preconditioner is that of process edm.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct step {
    int64_t batch, n, stage;
    maskdm_scheduler *scheduler;
    maskdm_options *options;
    double *numbers, *t, *r, *losses;
    float *x0, *noise, *output_t, *output_r, *made, *denoised;
};

static double number(struct reference_case *c, const char *key, double absent)
{
    return case_number(c, "consistency", key, absent);
}

/* Where there is less noise than edm begins with, the library takes the image itself: here that is never. */
static void make_scheduler(struct reference_case *c, struct step *s)
{
    char options[128];

    snprintf(options, sizeof options, "process=edm prediction=edm sigma_data=%.17g sigma_min=1e-6 sigma_max=1e6",
             number(c, "sigma_data", 0.5));
    s->scheduler = case_scheduler_of(c, options);
}

static int make_options(struct reference_case *c, struct step *s)
{
    const char *mapping = case_value(c, "consistency", "adj", "sigmoid");
    const int is_sigmoid = !strcmp(mapping, "sigmoid");
    char text[256], more[128] = "";

    if (!is_sigmoid && strcmp(mapping, "const") != 0) {
        snprintf(c->skipped, sizeof c->skipped, "mapping %s is not built", mapping);
        return -1;
    }
    s->stage = (int64_t)number(c, "stage", 0);
    if (is_sigmoid)
        snprintf(more, sizeof more, " k=%.17g b=%.17g", number(c, "k", 8), number(c, "b", 1));
    snprintf(text, sizeof text, "mapping=%s q=%.17g huber=%.17g mean=%.17g std=%.17g stages=%d%s",
             is_sigmoid ? "sigmoid" : "const", number(c, "q", 2), number(c, "c", 0), number(c, "P_mean", -1.1),
             number(c, "P_std", 2), (int)s->stage + 1, more);
    return case_ok(c, maskdm_options_create(&s->options, "consistency"), "options") ||
                   case_ok(c, maskdm_options_parse(s->options, text), text)
               ? -1
               : 0;
}

static int read_step(struct reference_case *c, struct step *s)
{
    int64_t all;

    make_scheduler(c, s);
    s->numbers = case_f64(c, "input.draw", &s->batch);
    s->x0 = case_f32(c, "input.x0", &all);
    s->noise = case_f32(c, "input.noise", NULL);
    s->output_t = case_f32(c, "input.output_t", NULL);
    s->output_r = case_f32(c, "input.output_r", NULL);
    if (!s->scheduler || c->failed)
        return -1;
    s->n = all / s->batch;
    s->t = malloc((size_t)s->batch * sizeof *s->t + 1);
    s->r = malloc((size_t)s->batch * sizeof *s->r + 1);
    s->losses = malloc((size_t)s->batch * sizeof *s->losses + 1);
    s->made = malloc((size_t)all * sizeof *s->made + 1);
    s->denoised = malloc((size_t)all * sizeof *s->denoised + 1);
    return s->t && s->r && s->losses && s->made && s->denoised ? make_options(c, s) : -1;
}

static void free_step(struct step *s)
{
    void *const memory[] = {s->numbers, s->t,        s->r,        s->losses, s->x0,
                            s->noise,   s->output_t, s->output_r, s->made,   s->denoised};

    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        free(memory[i]);
    maskdm_options_release(&s->options);
    maskdm_scheduler_release(&s->scheduler);
}

/* What a network is given and told at some times, and what follows from its answer. */
static void compare_pass(struct reference_case *c, struct step *s, const double *times, const float *output,
                         const char *which)
{
    const int64_t all = s->batch * s->n;
    double *factor = malloc((size_t)s->batch * sizeof *factor + 1);
    char name[64];

    if (factor &&
        !case_ok(c, maskdm_scheduler_add_noise(s->scheduler, s->batch, s->n, s->x0, s->noise, times, s->made),
                 "x_t")) {
        snprintf(name, sizeof name, "expect.x_%s", which);
        if (case_has(c, name))
            case_compare_f32(c, name, s->made, all, TENSOR_BOUND);
        case_ok(c, maskdm_scheduler_denoised(s->scheduler, s->batch, s->n, s->made, output, times, s->denoised), "D");
        case_ok(c, maskdm_scheduler_factors(s->scheduler, "input_scale", s->batch, times, factor), "input_scale");
        for (int64_t i = 0; i < all; i++)
            s->made[i] = (float)(factor[i / s->n] * (double)s->made[i]);
        snprintf(name, sizeof name, "expect.net_input_%s", which);
        if (case_has(c, name))
            case_compare_f32(c, name, s->made, all, TENSOR_BOUND);
        case_ok(c, maskdm_scheduler_factors(s->scheduler, "network_time", s->batch, times, factor), "network_time");
        snprintf(name, sizeof name, "expect.net_time_%s", which);
        if (case_has(c, name))
            case_compare(c, name, factor, s->batch, TENSOR_BOUND);
        snprintf(name, sizeof name, "expect.denoised_%s", which);
        if (case_has(c, name))
            case_compare_f32(c, name, s->denoised, all, TENSOR_BOUND);
    }
    free(factor);
}

/* At r, where the network is asked only of some images: the others stand in at t, and are not compared one by one. */
static void compare_teacher(struct reference_case *c, struct step *s)
{
    double *times = malloc((size_t)s->batch * sizeof *times + 1);
    int all_asked = 1;

    for (int64_t b = 0; times && b < s->batch; b++) {
        times[b] = s->r[b] > 0 ? s->r[b] : s->t[b];
        all_asked = all_asked && s->r[b] > 0;
    }
    if (times) {
        compare_pass(c, s, times, s->output_r, all_asked ? "r" : "of_none");
        for (int64_t b = 0; b < s->batch; b++)
            if (s->r[b] == 0)
                memcpy(s->denoised + b * s->n, s->x0 + b * s->n, (size_t)s->n * sizeof *s->x0);
        case_compare_f32(c, "expect.target", s->denoised, s->batch * s->n, TENSOR_BOUND);
    }
    free(times);
}

static void compare_loss(struct reference_case *c, struct step *s)
{
    double mean = 0;

    if (case_ok(c,
                maskdm_scheduler_consistency_loss(s->scheduler, s->options, s->batch, s->n, s->x0, s->noise, s->t,
                                                  s->r, s->output_t, s->output_r, s->losses, s->made),
                "the loss"))
        return;
    for (int64_t b = 0; b < s->batch; b++)
        mean += s->losses[b] / (double)s->batch;
    case_compare(c, "expect.loss_each", s->losses, s->batch, LOSS_BOUND);
    case_compare(c, "expect.loss", &mean, 1, LOSS_BOUND);
    case_compare_f32(c, "grad.output_t", s->made, s->batch * s->n, TENSOR_BOUND);
}

void case_consistency(struct reference_case *c)
{
    struct step s = {0};

    if (!read_step(c, &s) &&
        !case_ok(c, maskdm_scheduler_consistency_times(s.scheduler, s.options, s.stage, s.batch, s.numbers, s.t, s.r),
                 "times")) {
        case_compare(c, "input.t", s.t, s.batch, TENSOR_BOUND);
        case_compare(c, "input.r", s.r, s.batch, TENSOR_BOUND);
        compare_pass(c, &s, s.t, s.output_t, "t");
        compare_teacher(c, &s);
        compare_loss(c, &s);
    }
    free_step(&s);
}
