/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "objective": what a network is given, what it should answer and what its error costs, by the programs that
 * brought each process. Arrays are held value by value, so that channels may stand where they stand in the file.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a case's own settings are in the library's options, and its times in the process's units. */
struct objective {
    char options[256];
    double *times;
    int64_t batch, n;
    int keeps_x_t; /* the case's x_t is the process's */
};

static void skip(struct reference_case *c, const char *what, const char *value)
{
    snprintf(c->skipped, sizeof c->skipped, "%s %s is not built", what, value);
}

static int is(const char *value, const char *other)
{
    return value && !strcmp(value, other);
}

static int read_discrete(struct reference_case *c, struct objective *o, const char *weight)
{
    return case_weighted(c, weight, case_prediction(case_value(c, "objective", "prediction", "")), o->options,
                         sizeof o->options);
}

static int read_min_snr(struct reference_case *c, struct objective *o)
{
    return read_discrete(c, o, "min_snr");
}

static int read_p2(struct reference_case *c, struct objective *o)
{
    return read_discrete(c, o, "p2");
}

static int read_edm(struct reference_case *c, struct objective *o)
{
    snprintf(o->options, sizeof o->options, "process=edm prediction=edm weight=edm sigma_data=%.17g sigma_min=1e-6",
             case_number(c, "objective", "sigma_data", 0.5));
    return 0;
}

/* The program's x_t is x0 + sigma eps; the network is given what the process has. */
static int read_vp(struct reference_case *c, struct objective *o)
{
    double *draw = case_f64(c, "input.draw", NULL);

    for (int64_t i = 0; draw && i < o->batch; i++)
        o->times[i] = 1 + draw[i] * (case_number(c, "objective", "epsilon_t", 1e-5) - 1);
    free(draw);
    o->keeps_x_t = 0;
    snprintf(o->options, sizeof o->options,
             "process=vp prediction=noise time_scale=%.17g vp_beta_min=%.17g vp_beta_max=%.17g",
             case_number(c, "objective", "M", 1000) - 1, case_number(c, "objective", "beta_min", 0.1),
             case_number(c, "objective", "beta_min", 0.1) + case_number(c, "objective", "beta_d", 19.9));
    return c->failed ? -1 : 0;
}

static int read_ve(struct reference_case *c, struct objective *o)
{
    snprintf(o->options, sizeof o->options, "process=ve sigma_min=%.17g sigma_max=%.17g",
             case_number(c, "objective", "sigma_min", 0.02), case_number(c, "objective", "sigma_max", 100));
    return 0;
}

/* SiT's time is 1 at the data; what it weights is the error of the noise, also where the score is predicted. */
static int read_sit(struct reference_case *c, struct objective *o)
{
    static const char *const paths[][2] = {{"Linear", "linear"}, {"GVP", "gvp"}, {"VP", "vp"}};
    char prediction[32];
    const char *weight = "none", *path = NULL, *loss;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (is(case_value(c, "objective", "path", "Linear"), paths[i][0]))
            path = paths[i][1];
    if (!path) {
        skip(c, "path", case_value(c, "objective", "path", ""));
        return -1;
    }
    snprintf(prediction, sizeof prediction, "%s", case_value(c, "objective", "prediction", "velocity"));
    loss = case_value(c, "objective", "loss_weight", "null");
    if (!is(prediction, "velocity"))
        weight = is(loss, "velocity") ? "v" : is(loss, "likelihood") ? "likelihood" : "noise";
    for (int64_t i = 0; i < o->batch; i++)
        o->times[i] = 1 - o->times[i];
    snprintf(o->options, sizeof o->options,
             "process=flow flow_path=%s prediction=%s flow_time=data time_scale=1 weight=%s weight_floor=0", path,
             prediction, weight);
    return 0;
}

static int read_sd3(struct reference_case *c, struct objective *o)
{
    snprintf(o->options, sizeof o->options, "process=flow time_shift=%.17g", case_number(c, "objective", "shift", 1));
    return 0;
}

static int read_jit(struct reference_case *c, struct objective *o)
{
    char prediction[32], loss[32];

    snprintf(prediction, sizeof prediction, "%s", case_value(c, "objective", "prediction", "x0"));
    snprintf(loss, sizeof loss, "%s", case_value(c, "objective", "loss", "v"));
    if (is(prediction, "eps"))
        strcpy(prediction, "noise");
    if (is(prediction, "v"))
        strcpy(prediction, "velocity");
    for (int64_t i = 0; i < o->batch; i++)
        o->times[i] = 1 - o->times[i];
    snprintf(o->options, sizeof o->options,
             "process=flow prediction=%s flow_time=data time_scale=1 weight=%s weight_floor=%.17g noise_scale=%.17g",
             prediction, is(loss, "eps") ? "noise" : loss, case_number(c, "objective", "t_eps", 0.05),
             case_number(c, "objective", "noise_scale", 1));
    return 0;
}

static const struct {
    const char *type;
    int (*read)(struct reference_case *c, struct objective *o);
} types[] = {{"edm", read_edm},      {"vp", read_vp},   {"ve", read_ve},           {"flow_sit", read_sit},
             {"flow_sd3", read_sd3}, {"jit", read_jit}, {"min_snr", read_min_snr}, {"p2", read_p2}};

static int read_settings(struct reference_case *c, struct objective *o)
{
    const char *type = case_value(c, "objective", "type", "(none)");
    size_t i = 0;

    while (i < sizeof types / sizeof *types && strcmp(types[i].type, type) != 0)
        i++;
    if (i == sizeof types / sizeof *types) {
        skip(c, "objective", type);
        return -1;
    }
    o->times = case_f64(c, "input.time", &o->batch);
    o->keeps_x_t = 1;
    return o->times ? types[i].read(c, o) : -1;
}

static void compare_factor(struct reference_case *c, const maskdm_scheduler *s, const struct objective *o,
                           const char *factor, const char *tensor)
{
    double *got = malloc((size_t)o->batch * sizeof *got + 1);

    if (got && case_has(c, tensor) &&
        !case_ok(c, maskdm_scheduler_factors(s, factor, o->batch, o->times, got), factor))
        case_compare(c, tensor, got, o->batch, TENSOR_BOUND);
    free(got);
}

/* Losses and the gradient of their mean, from the library's target and weights. */
static void compare_loss(struct reference_case *c, const maskdm_scheduler *s, const struct objective *o,
                         const float *target, const float *output)
{
    const int64_t all = o->batch * o->n;
    double *weight = malloc((size_t)o->batch * sizeof *weight + 1),
           *each = calloc((size_t)o->batch + 1, sizeof *each);
    double *gradient = malloc((size_t)all * sizeof *gradient + 1), mean = 0;

    if (weight && each && gradient &&
        !case_ok(c, maskdm_scheduler_factors(s, "loss_weight", o->batch, o->times, weight), "weights")) {
        for (int64_t i = 0; i < all; i++) {
            const double w = weight[i / o->n], d = (double)output[i] - (double)target[i];

            each[i / o->n] += w * d * d / (double)o->n;
            gradient[i] = 2 * w * d / (double)all;
        }
        for (int64_t b = 0; b < o->batch; b++)
            mean += each[b] / (double)o->batch;
        case_compare(c, "expect.loss_each", each, o->batch, TENSOR_BOUND);
        case_compare(c, "expect.loss", &mean, 1, TENSOR_BOUND);
        case_compare(c, "grad.output", gradient, all, TENSOR_BOUND);
    }
    free(weight);
    free(each);
    free(gradient);
}

static void compare_images(struct reference_case *c, const maskdm_scheduler *s, const struct objective *o)
{
    int64_t all;
    float *x0 = case_f32(c, "input.x0", &all), *noise = case_f32(c, "input.noise", NULL);
    float *output = case_f32(c, "input.output", NULL), *made = malloc(x0 ? (size_t)all * sizeof *made : 1);
    double *scale = malloc((size_t)o->batch * sizeof *scale + 1);
    struct objective sized = *o;

    if (x0 && noise && output && made && scale) {
        sized.n = all / o->batch;
        case_ok(c, maskdm_scheduler_add_noise(s, o->batch, sized.n, x0, noise, o->times, made), "x_t");
        if (o->keeps_x_t)
            case_compare_f32(c, "expect.x_t", made, all, TENSOR_BOUND);
        if (case_has(c, "expect.denoised") && o->keeps_x_t) {
            float *clean = malloc((size_t)all * sizeof *clean);

            if (clean &&
                !case_ok(c, maskdm_scheduler_denoised(s, o->batch, sized.n, made, output, o->times, clean), "x0"))
                case_compare_f32(c, "expect.denoised", clean, all, TENSOR_BOUND);
            free(clean);
        }
        case_ok(c, maskdm_scheduler_factors(s, "input_scale", o->batch, o->times, scale), "input_scale");
        for (int64_t i = 0; i < all; i++)
            made[i] = (float)(scale[i / sized.n] * (double)made[i]);
        case_compare_f32(c, "expect.net_input", made, all, TENSOR_BOUND);
        if (!case_ok(c, maskdm_scheduler_target(s, o->batch, sized.n, x0, noise, o->times, made), "the target")) {
            case_compare_f32(c, "expect.target", made, all, TENSOR_BOUND);
            compare_loss(c, s, &sized, made, output);
        }
    }
    free(x0);
    free(noise);
    free(output);
    free(made);
    free(scale);
}

void case_objective(struct reference_case *c)
{
    struct objective o = {0};
    maskdm_scheduler *s = NULL;

    if (case_table(c))
        return;
    if (!read_settings(c, &o))
        s = case_scheduler_of(c, o.options);
    if (s) {
        compare_factor(c, s, &o, "network_time", "expect.net_time");
        compare_factor(c, s, &o, "loss_weight", "expect.weight");
        compare_images(c, s, &o);
    }
    maskdm_scheduler_release(&s);
    free(o.times);
}
