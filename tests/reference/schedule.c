/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "schedule": tables of the discrete process, and levels of noise over continuous time, by the programs that
 * brought them.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is(const char *value, const char *other)
{
    return !strcmp(value, other);
}

static int is_diffusers(struct reference_case *c)
{
    const char *program = maskdm_file_metadata(c->file, "program");

    return program && !strncmp(program, "diffusers", 9);
}

/* What other programs call the schedules, and whether they say where its betas, or its sigmoid, begin and end. */
static const struct {
    const char *theirs, *ours;
    int diffusers, ends, sigmoid;
} names[] = {{"linear", "linear", 1, 1, 0},
             {"scaled_linear", "scaled_linear", 1, 1, 0},
             {"squaredcos_cap_v2", "cosine", 1, 0, 0},
             {"sigmoid", "sigmoid_betas", 1, 1, 0},
             {"laplace", "laplace", 1, 0, 0},
             {"linear", "linear", 0, 0, 0},
             {"cosine", "cosine", 0, 0, 0},
             {"sigmoid", "sigmoid", 0, 0, 1}};

int case_discrete(struct reference_case *c, const char *section, char *out, size_t room)
{
    const int diffusers = is_diffusers(c);
    char name[64];
    size_t i = 0, n;

    snprintf(name, sizeof name, "%s", case_value(c, section, "beta_schedule", "linear"));
    while (i < sizeof names / sizeof *names && !(is(names[i].theirs, name) && names[i].diffusers == diffusers))
        i++;
    if (i == sizeof names / sizeof *names) {
        snprintf(c->skipped, sizeof c->skipped, "schedule %s is not built", name);
        return -1;
    }
    if (!is(case_value(c, section, "trained_betas", "null"), "null") ||
        case_number(c, section, "s", 0.008) != 0.008) {
        snprintf(c->skipped, sizeof c->skipped, "schedule %s of trained_betas or another s is not built", name);
        return -1;
    }
    n = (size_t)snprintf(out, room, "schedule=%s timesteps=%.0f zero_terminal_snr=%s", names[i].ours,
                         case_number(c, section, "timesteps", case_number(c, section, "num_train_timesteps", 1000)),
                         is(case_value(c, section, "rescale_betas_zero_snr", "false"), "true") ? "true" : "false");
    if (names[i].ends)
        n += (size_t)snprintf(out + n, room - n, " beta_start=%.17g beta_end=%.17g",
                              case_number(c, section, "beta_start", 1e-4), case_number(c, section, "beta_end", 0.02));
    if (names[i].sigmoid)
        snprintf(out + n, room - n, " sigmoid_start=%.17g sigmoid_end=%.17g sigmoid_tau=%.17g",
                 case_number(c, section, "start", -3), case_number(c, section, "end", 3),
                 case_number(c, section, "tau", 1));
    return 0;
}

static void compare_tables(struct reference_case *c, const maskdm_scheduler *s)
{
    static const char *const tables[] = {"betas", "alphas_cumprod", "posterior_variance", "posterior_mean_coef1",
                                         "posterior_mean_coef2"};
    const int64_t T = maskdm_scheduler_table(s, "betas", NULL, 0);
    double *table = malloc((size_t)T * sizeof *table + 1);

    for (size_t i = 0; table && i < sizeof tables / sizeof *tables; i++) {
        char name[64];

        snprintf(name, sizeof name, "expect.%s", tables[i]);
        if (case_has(c, name) && !case_ok(c, (int)maskdm_scheduler_table(s, tables[i], table, T), tables[i]))
            case_compare(c, name, table, T, TENSOR_BOUND);
    }
    free(table);
}

/* Levels at times, by the factors of x_t. */
static void compare_levels(struct reference_case *c, const maskdm_scheduler *s)
{
    int64_t count = 0;
    double *times = case_f64(c, "input.t", &count), *level = malloc(3 * (size_t)count * sizeof *level + 1);
    double *signal = level, *noise = level + count, *logsnr = level + 2 * count;

    if (times && level && !case_ok(c, maskdm_scheduler_factors(s, "signal", count, times, signal), "signal") &&
        !case_ok(c, maskdm_scheduler_factors(s, "noise", count, times, noise), "noise")) {
        for (int64_t i = 0; i < count; i++)
            logsnr[i] = 2 * log(signal[i] / noise[i]);
        case_compare(c, "expect.alpha", signal, count, TENSOR_BOUND);
        case_compare(c, "expect.sigma", noise, count, TENSOR_BOUND);
        case_compare(c, "expect.logsnr", logsnr, count, TENSOR_BOUND);
    }
    free(times);
    free(level);
}

static maskdm_scheduler *continuous(struct reference_case *c)
{
    static const char *const sides[] = {"image_d", "noise_d", "noise_d_low", "noise_d_high"};
    char text[256];
    size_t n;

    n = (size_t)snprintf(text, sizeof text, "process=vp vp_shape=cosine logsnr_min=%.17g logsnr_max=%.17g",
                         case_number(c, "diffusion", "logsnr_min", -15),
                         case_number(c, "diffusion", "logsnr_max", 15));
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if (case_number(c, "diffusion", sides[i], 0) > 0)
            n += (size_t)snprintf(text + n, sizeof text - n, " %s=%.0f", sides[i],
                                  case_number(c, "diffusion", sides[i], 0));
    return case_scheduler_of(c, text);
}

void case_schedule(struct reference_case *c)
{
    const int levels = is(case_value(c, "diffusion", "schedule", ""), "logsnr_cosine");
    maskdm_scheduler *s = NULL;
    char text[256];

    if (!maskdm_file_metadata(c->file, "program"))
        s = case_scheduler(c);
    else if (levels)
        s = continuous(c);
    else if (!case_discrete(c, "diffusion", text, sizeof text) &&
             snprintf(text + strlen(text), sizeof text - strlen(text), " prediction=v") > 0)
        s = case_scheduler_of(c, text);
    if (s)
        (levels ? compare_levels : compare_tables)(c, s);
    maskdm_scheduler_release(&s);
}
