/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "objective" where it is a table: weights by time, times by the random numbers that they come from, and losses
 * of arrays.
 */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is(const char *value, const char *other)
{
    return value && !strcmp(value, other);
}

const char *case_prediction(const char *theirs)
{
    static const char *const names[][2] = {{"epsilon", "noise"},    {"start_x", "x0"}, {"velocity", "v"},
                                           {"pred_noise", "noise"}, {"pred_x0", "x0"}, {"pred_v", "v"},
                                           {"v_prediction", "v"},   {"sample", "x0"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(theirs, names[i][0]))
            return names[i][1];
    return "noise";
}

int case_weighted(struct reference_case *c, const char *weight, const char *prediction, char *out, size_t room)
{
    size_t n;

    if (case_discrete(c, "objective", out, room))
        return -1;
    n = strlen(out);
    n += (size_t)snprintf(out + n, room - n, " prediction=%s weight=%s", prediction, weight);
    if (!is(weight, "noise"))
        snprintf(out + n, room - n, " weight_gamma=%.17g weight_offset=%.17g",
                 case_number(c, "objective", "gamma", 5), case_number(c, "objective", "k", 1));
    return 0;
}

/* A factor at some times against a tensor. */
static void compare_factor(struct reference_case *c, const maskdm_scheduler *s, const char *factor, int64_t count,
                           const double *times, const char *tensor)
{
    double *got = malloc((size_t)count * sizeof *got + 1);

    if (got && !case_ok(c, maskdm_scheduler_factors(s, factor, count, times, got), factor))
        case_compare(c, tensor, got, count, TENSOR_BOUND);
    free(got);
}

/* Weights at every time of a schedule; without a gamma, of the error of the noise. */
static void compare_weights(struct reference_case *c)
{
    const int clipped = case_number(c, "objective", "gamma", 0) > 0;
    char prediction[16], text[384];
    maskdm_scheduler *s = NULL;
    double *times, *abar;
    int64_t T;

    snprintf(prediction, sizeof prediction, "%s", case_prediction(case_value(c, "objective", "prediction", "")));
    if (!case_weighted(c, clipped ? "min_snr" : "noise", prediction, text, sizeof text))
        s = case_scheduler_of(c, text);
    T = s ? maskdm_scheduler_table(s, "alphas_cumprod", NULL, 0) : 0;
    times = malloc(2 * (size_t)T * sizeof *times + 1);
    abar = times + T;
    for (int64_t t = 0; times && t < T; t++)
        times[t] = (double)t;
    if (s && times) {
        compare_factor(c, s, "loss_weight", T, times, "expect.weight");
        case_ok(c, (int)maskdm_scheduler_table(s, "alphas_cumprod", abar, T), "the schedule");
        case_compare(c, "expect.alphas_cumprod", abar, T, TENSOR_BOUND);
    }
    maskdm_scheduler_release(&s);
    free(times);
}

/* Signal-to-noise ratios at some times. */
static void compare_snr(struct reference_case *c, const maskdm_scheduler *s, int64_t count, const double *times)
{
    double *abar = malloc(2 * (size_t)count * sizeof *abar + 1), *snr = abar + count;

    if (abar && !case_ok(c, maskdm_scheduler_factors(s, "signal", count, times, abar), "signal") &&
        !case_ok(c, maskdm_scheduler_factors(s, "noise", count, times, snr), "noise")) {
        for (int64_t i = 0; i < count; i++) {
            abar[i] *= abar[i];
            snr[i] = abar[i] / (snr[i] * snr[i]);
        }
        case_compare(c, "expect.alphas_cumprod", abar, count, TENSOR_BOUND);
        case_compare(c, "expect.snr", snr, count, TENSOR_BOUND);
    }
    free(abar);
}

/* Weights down to where nothing of the image is left. */
static void compare_zero_terminal(struct reference_case *c)
{
    static const char *const expected[][2] = {{"v", "expect.weight_v"}, {"x0", "expect.weight_x0"}};
    int64_t count;
    double *times = case_f64(c, "input.time", &count);

    for (size_t i = 0; times && i < 2; i++) {
        maskdm_scheduler *s = NULL;
        char text[384];

        if (!case_weighted(c, "min_snr", expected[i][0], text, sizeof text))
            s = case_scheduler_of(c, text);
        if (s) {
            compare_factor(c, s, "loss_weight", count, times, expected[i][1]);
            compare_snr(c, s, count, times);
        }
        maskdm_scheduler_release(&s);
    }
    free(times);
}

/* ---- times ---- */

/* The times that a process makes of shift + sign times the numbers of `from`, or one factor at them; "ratio" is that
 * of noise to signal. */
static void compare_times(struct reference_case *c, const char *options, const char *from, double sign, double shift,
                          const char *factor, const char *tensor)
{
    maskdm_scheduler *s = case_scheduler_of(c, options);
    int64_t count = 0;
    double *number = case_f64(c, from, &count), *time = malloc(2 * (size_t)count * sizeof *time + 1);
    double *out = time + count;

    for (int64_t i = 0; number && i < count; i++)
        number[i] = shift + sign * number[i];
    if (s && number && time && !case_ok(c, maskdm_scheduler_times_of(s, count, number, time), options)) {
        if (is(factor, "ratio")) {
            case_ok(c, maskdm_scheduler_factors(s, "signal", count, time, number), "signal");
            case_ok(c, maskdm_scheduler_factors(s, "noise", count, time, out), "noise");
            for (int64_t i = 0; i < count; i++)
                out[i] /= number[i];
        } else if (*factor) {
            case_ok(c, maskdm_scheduler_factors(s, factor, count, time, out), factor);
        }
        case_compare(c, tensor, *factor ? out : time, count, TENSOR_BOUND);
    }
    maskdm_scheduler_release(&s);
    free(number);
    free(time);
}

/* JiT's times run the other way, and EDM's VP draws from the noise on. */
static void compare_time_map(struct reference_case *c)
{
    char text[192];

    snprintf(text, sizeof text, "process=flow time_draw=logit_normal time_mean=%.17g time_std=%.17g",
             case_number(c, "objective", "logit_mean", 0), case_number(c, "objective", "logit_std", 1));
    compare_times(c, text, "input.normal", 1, 0, "", "expect.logit_normal");
    snprintf(text, sizeof text, "process=flow time_draw=mode mode_scale=%.17g",
             case_number(c, "objective", "mode_scale", 1.29));
    compare_times(c, text, "input.uniform", 1, 0, "", "expect.mode");
    snprintf(text, sizeof text, "process=flow time_draw=uniform time_shift=%.17g",
             case_number(c, "objective", "shift", 1));
    compare_times(c, text, "input.sigma", 1, 0, "", "expect.shifted");
    snprintf(text, sizeof text,
             "process=flow time_draw=logit_normal time_mean=%.17g time_std=%.17g flow_time=data time_scale=1",
             -case_number(c, "objective", "jit_P_mean", -0.8), case_number(c, "objective", "jit_P_std", 0.8));
    compare_times(c, text, "input.normal", -1, 0, "network_time", "expect.jit");
    compare_times(c, "process=edm", "input.normal", 1, 0, "", "expect.edm_sigma");
    compare_times(c, "process=vp", "input.uniform", -1, 1, "ratio", "expect.vp_sigma");
    compare_times(c, "process=flow time_draw=uniform weight=sigma_sqrt weight_floor=0", "input.sigma", 1, 0,
                  "loss_weight", "expect.weight_sigma_sqrt");
    compare_times(c, "process=flow time_draw=uniform weight=cosmap", "input.sigma", 1, 0, "loss_weight",
                  "expect.weight_cosmap");
}

/* ---- losses ---- */

static void compare_loss(struct reference_case *c, const char *loss, double delta, const char *name)
{
    char expected[64], slope[64];
    int64_t all;
    const int64_t batch = case_dim(c, "input.output", 0);
    float *output = case_f32(c, "input.output", &all), *target = case_f32(c, "input.target", NULL);
    double *weight = case_f64(c, "input.weight", NULL), *each = calloc((size_t)batch + 1, sizeof *each), mean = 0;
    float *gradient = malloc(output ? (size_t)all * sizeof *gradient : 1);

    snprintf(expected, sizeof expected, "expect.%s", name);
    snprintf(slope, sizeof slope, "grad.output_%s", name);
    if (output && target && weight && each && gradient &&
        !case_ok(c, maskdm_loss(loss, delta, batch, all / batch, output, target, weight, each, gradient), loss)) {
        for (int64_t b = 0; b < batch; b++)
            mean += each[b] / (double)batch;
        case_compare(c, expected, &mean, 1, TENSOR_BOUND);
        case_compare_f32(c, slope, gradient, all, TENSOR_BOUND);
    }
    free(output);
    free(target);
    free(weight);
    free(each);
    free(gradient);
}

static void compare_losses(struct reference_case *c)
{
    static const struct {
        const char *name, *loss, *delta;
    } losses[] = {{"l1", "l1", NULL},
                  {"l2", "l2", NULL},
                  {"huber", "huber", "delta"},
                  {"smooth_l1", "smooth_l1", "delta"},
                  {"pseudo_huber", "pseudo_huber", "c"},
                  {"pseudo_huber_per_image", "pseudo_huber_image", "c"}};

    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        compare_loss(c, losses[i].loss, losses[i].delta ? case_number(c, "objective", losses[i].delta, 1) : 0,
                     losses[i].name);
}

static const struct {
    const char *type;
    void (*run)(struct reference_case *c);
} tables[] = {{"min_snr_table", compare_weights},
              {"min_snr_zero_terminal", compare_zero_terminal},
              {"time_map", compare_time_map},
              {"robust", compare_losses}};

int case_table(struct reference_case *c)
{
    char type[32];

    snprintf(type, sizeof type, "%s", case_value(c, "objective", "type", ""));
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (is(type, tables[i].type)) {
            tables[i].run(c);
            return 1;
        }
    return 0;
}
