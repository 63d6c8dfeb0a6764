/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each program's own settings, in the library's options.
 */
#include "solver_settings.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void skip(struct reference_case *c, const char *what, const char *value)
{
    snprintf(c->skipped, sizeof c->skipped, "%s %s is not built", what, value);
}

static double steps(struct reference_case *c)
{
    const char *text = maskdm_file_metadata(c->file, "steps");

    return text ? strtod(text, NULL) : 0;
}

/* Whether `key` has this value; where it is absent, `standard` stands for it. */
static int is(struct reference_case *c, const char *section, const char *key, const char *standard, const char *value)
{
    return !strcmp(case_value(c, section, key, standard), value);
}

/* The first of these settings that is on. */
static int any(struct reference_case *c, const char *const *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is(c, "config", settings[i], "false", "true")) {
            skip(c, "setting", settings[i]);
            return -1;
        }
    return 0;
}

static void add(char *text, size_t room, const char *format, ...)
{
    const size_t n = strlen(text);
    va_list ap;

    va_start(ap, format);
    vsnprintf(text + n, room - n, format, ap);
    va_end(ap);
}

#define SAMPLER(s, ...) add((s)->sampler, sizeof(s)->sampler, __VA_ARGS__)

static int read_edm(struct reference_case *c, struct solver_settings *s)
{
    char most[32];

    snprintf(most, sizeof most, "%s", case_value(c, "config", "S_max", "inf"));
    snprintf(s->scheduler, sizeof s->scheduler, "process=edm prediction=x0 sigma_min=%.17g sigma_max=%.17g",
             case_number(c, "config", "sigma_min", 0.002), case_number(c, "config", "sigma_max", 80));
    snprintf(s->sampler, sizeof s->sampler,
             "sampler=heun clip=false churn=%.17g churn_min=%.17g churn_max=%.17g churn_noise=%.17g",
             case_number(c, "config", "S_churn", 0), case_number(c, "config", "S_min", 0),
             strcmp(most, "inf") ? strtod(most, NULL) : 1e9, case_number(c, "config", "S_noise", 1));
    if (case_number(c, "config", "rho", 7) != 7)
        return solver_times_edm(c, s);
    SAMPLER(s, " steps=%.0f spacing=karras", steps(c));
    return 0;
}

static int read_flow(struct reference_case *c, struct solver_settings *s)
{
    static const char *const unknown[] = {"invert_sigmas", "use_beta_sigmas", "stochastic_sampling"};
    const int dynamic = !strcmp(case_value(c, "config", "use_dynamic_shifting", "false"), "true");
    const int linear = !strcmp(case_value(c, "config", "time_shift_type", "exponential"), "linear");
    const double mu = case_number(c, "set_timesteps", "mu", 0);
    const double shift = !dynamic ? case_number(c, "config", "shift", 1) : linear ? mu : exp(mu);
    int listed;

    if (any(c, unknown, sizeof unknown / sizeof *unknown))
        return -1;
    if (!is(c, "set_timesteps", "timesteps", "", "")) {
        skip(c, "setting", "timesteps");
        return -1;
    }
    s->told = 1;
    SAMPLER(s, "sampler=euler clip=false");
    listed = solver_times_flow(c, s, shift, dynamic);
    snprintf(s->scheduler, sizeof s->scheduler, "process=flow time_shift=%.17g time_scale=%.17g", listed ? 1 : shift,
             case_number(c, "config", "num_train_timesteps", 1000));
    if (!listed)
        SAMPLER(s, " steps=%.0f spacing=%s", steps(c), dynamic ? "flux" : "sd3");
    return listed < 0 ? -1 : 0;
}

static int read_jit(struct reference_case *c, struct solver_settings *s)
{
    const int heun = !strcmp(maskdm_file_metadata(c->file, "scheduler"), "jit_heun");

    s->told = 1;
    snprintf(s->scheduler, sizeof s->scheduler,
             "process=flow prediction=x0 flow_time=data time_scale=1 weight_floor=%.17g noise_scale=%.17g",
             case_number(c, "config", "t_eps", 0.05), case_number(c, "config", "noise_scale", 1));
    snprintf(s->sampler, sizeof s->sampler, "sampler=%s steps=%.0f clip=false", heun ? "heun" : "euler", steps(c));
    return 0;
}

/* ---- diffusers' schedulers of the discrete process ---- */

static int read_schedule(struct reference_case *c, struct solver_settings *s)
{
    char schedule[32], prediction[32];

    snprintf(schedule, sizeof schedule, "%s", case_value(c, "config", "beta_schedule", "linear"));
    snprintf(prediction, sizeof prediction, "%s", case_value(c, "config", "prediction_type", "epsilon"));
    if (!is(c, "config", "trained_betas", "null", "null") || !strcmp(schedule, "exp")) {
        skip(c, "setting", "trained_betas or beta_schedule exp");
        return -1;
    }
    add(s->scheduler, sizeof s->scheduler, "process=discrete timesteps=%.0f prediction=%s zero_terminal_snr=%s",
        case_number(c, "config", "num_train_timesteps", 1000),
        !strcmp(prediction, "epsilon")  ? "noise"
        : !strcmp(prediction, "sample") ? "x0"
                                        : "v",
        is(c, "config", "rescale_betas_zero_snr", "false", "true") ? "true" : "false");
    if (!strcmp(schedule, "squaredcos_cap_v2") || !strcmp(schedule, "laplace"))
        add(s->scheduler, sizeof s->scheduler, " schedule=%s", *schedule == 's' ? "cosine" : schedule);
    else
        add(s->scheduler, sizeof s->scheduler, " schedule=%s beta_start=%.17g beta_end=%.17g",
            !strcmp(schedule, "sigmoid") ? "sigmoid_betas" : schedule, case_number(c, "config", "beta_start", 1e-4),
            case_number(c, "config", "beta_end", 2e-2));
    return 0;
}

static void read_clip(struct reference_case *c, struct solver_settings *s, const char *standard)
{
    if (is(c, "config", "thresholding", "false", "true"))
        SAMPLER(s, " threshold=true threshold_share=%.17g threshold_max=%.17g",
                case_number(c, "config", "dynamic_thresholding_ratio", 0.995),
                case_number(c, "config", "sample_max_value", 1));
    else if (is(c, "config", "clip_sample", standard, "true"))
        SAMPLER(s, " clip=true clip_range=%.17g", case_number(c, "config", "clip_sample_range", 1));
    else
        SAMPLER(s, " clip=false");
}

static const char *final_sigma(struct reference_case *c)
{
    return is(c, "config", "final_sigmas_type", "zero", "zero") ? "zero" : "sigma_min";
}

/* Spacing, its offset, and Karras' levels between its ends or, with `whole`, between the table's; or the case's own
 * times. */
static int read_times(struct reference_case *c, struct solver_settings *s, const char *standard, int whole)
{
    static const char *const unknown[] = {"use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas",
                                          "use_flow_sigmas", "use_dynamic_shifting"};
    const int karras = is(c, "config", "use_karras_sigmas", "false", "true");
    char spacing[32];
    int given;

    snprintf(spacing, sizeof spacing, "%s", case_value(c, "config", "timestep_spacing", standard));
    if (any(c, unknown, sizeof unknown / sizeof *unknown))
        return -1;
    given = solver_times_given(c, s, strcmp(final_sigma(c), "zero") ? 0 : -1);
    s->given = given > 0;
    if (given)
        return given < 0 ? -1 : 0;
    SAMPLER(s, " steps=%.0f", steps(c));
    if (!karras)
        SAMPLER(s, " spacing=%s", spacing);
    else
        SAMPLER(s, " spacing=karras karras_ends=%s", whole ? "linspace" : spacing);
    if (!strcmp(spacing, "leading") && !(karras && whole))
        SAMPLER(s, " steps_offset=%.0f", case_number(c, "config", "steps_offset", 0));
    return 0;
}

static int read_ddim(struct reference_case *c, struct solver_settings *s)
{
    SAMPLER(s, "sampler=ddim eta=%.17g step_noise=%s final_sigma=%s", case_number(c, "step", "eta", 0),
            is(c, "step", "use_clipped_model_output", "false", "true") ? "clipped" : "network",
            is(c, "config", "set_alpha_to_one", "true", "true") ? "zero" : "sigma_min");
    read_clip(c, s, "true");
    return read_schedule(c, s) || read_times(c, s, "leading", 0) ? -1 : 0;
}

static int read_ddpm(struct reference_case *c, struct solver_settings *s)
{
    char variance[32];

    snprintf(variance, sizeof variance, "%s", case_value(c, "config", "variance_type", "fixed_small"));
    if (!strcmp(variance, "fixed_small_log"))
        *strrchr(variance, '_') = 0; /* the same number by another way */
    if (strcmp(variance, "fixed_small") != 0 && strcmp(variance, "fixed_large") != 0 &&
        !(!strcmp(variance, "learned_range") && case_has(c, "input.variance"))) {
        skip(c, "variance_type", variance);
        return -1;
    }
    SAMPLER(s, "sampler=ddpm variance=%s", variance);
    read_clip(c, s, "true");
    return read_schedule(c, s) || read_times(c, s, "leading", 0) ? -1 : 0;
}

/* ---- those that keep x over its signal ---- */

static int read_euler(struct reference_case *c, struct solver_settings *s)
{
    if (!is(c, "config", "interpolation_type", "linear", "linear") ||
        !is(c, "config", "timestep_type", "discrete", "discrete") || case_number(c, "step", "s_churn", 0) != 0 ||
        case_number(c, "config", "sigma_min", 0) != 0 || case_number(c, "config", "sigma_max", 0) != 0) {
        skip(c, "setting", "interpolation_type, timestep_type, sigma_min, sigma_max or s_churn");
        return -1;
    }
    s->told = s->by_ratio = 1;
    SAMPLER(s, "sampler=euler clip=false final_sigma=%s", final_sigma(c));
    return read_schedule(c, s) || read_times(c, s, "linspace", 0) ? -1 : 0;
}

static int read_euler_ancestral(struct reference_case *c, struct solver_settings *s)
{
    s->told = s->by_ratio = 1;
    SAMPLER(s, "sampler=euler_ancestral clip=false");
    return read_schedule(c, s) || read_times(c, s, "linspace", 0) ? -1 : 0;
}

static int read_heun(struct reference_case *c, struct solver_settings *s)
{
    s->told = s->by_ratio = 1;
    SAMPLER(s, "sampler=heun");
    read_clip(c, s, "false");
    return read_schedule(c, s) || read_times(c, s, "linspace", 0) ? -1 : 0;
}

/* ---- those that look back ---- */

/* What both have. `rounds`: Karras' times are told to the nearest whole one on every schedule. */
static int read_multistep(struct reference_case *c, struct solver_settings *s, int rounds)
{
    s->told = 1;
    SAMPLER(s, " order=%.0f final_sigma=%s", case_number(c, "config", "solver_order", 2), final_sigma(c));
    read_clip(c, s, "false");
    if (is(c, "config", "use_karras_sigmas", "false", "true"))
        SAMPLER(s, " told_times=%s",
                rounds || !is(c, "config", "beta_schedule", "linear", "squaredcos_cap_v2") ? "nearest" : "below");
    return read_schedule(c, s) || read_times(c, s, "linspace", 1) ? -1 : 0;
}

static int read_dpmpp(struct reference_case *c, struct solver_settings *s)
{
    const int sde = is(c, "config", "algorithm_type", "dpmsolver++", "sde-dpmsolver++");

    if ((!sde && !is(c, "config", "algorithm_type", "dpmsolver++", "dpmsolver++")) ||
        (sde && case_number(c, "config", "solver_order", 2) > 2) ||
        !is(c, "config", "lambda_min_clipped", "-inf", "-inf")) {
        skip(c, "setting", "algorithm_type, its order, or lambda_min_clipped");
        return -1;
    }
    SAMPLER(s, "sampler=dpmpp sde=%s", sde ? "true" : "false");
    SAMPLER(s, " dpmpp_kind=%s", case_value(c, "config", "solver_type", "midpoint"));
    SAMPLER(s, " low_order_below=%d", is(c, "config", "lower_order_final", "true", "true") ? 15 : 0);
    SAMPLER(s, " euler_at_final=%s", case_value(c, "config", "euler_at_final", "false"));
    return read_multistep(c, s, 0);
}

static int read_unipc(struct reference_case *c, struct solver_settings *s)
{
    if (is(c, "config", "predict_x0", "true", "false") || !is(c, "config", "disable_corrector", "", "") ||
        !is(c, "config", "solver_p", "null", "null") || case_number(c, "config", "sigma_min", 0) != 0 ||
        case_number(c, "config", "sigma_max", 0) != 0) {
        skip(c, "setting", "predict_x0, disable_corrector, solver_p, sigma_min or sigma_max");
        return -1;
    }
    SAMPLER(s, "sampler=unipc unipc_kind=%s", case_value(c, "config", "solver_type", "bh2"));
    SAMPLER(s, " low_order_below=%d", is(c, "config", "lower_order_final", "true", "true") ? 100001 : 0);
    return read_multistep(c, s, 1);
}

static const struct {
    const char *scheduler;
    int (*read)(struct reference_case *c, struct solver_settings *s);
} types[] = {{"edm_heun", read_edm},
             {"FlowMatchEulerDiscreteScheduler", read_flow},
             {"jit_euler", read_jit},
             {"jit_heun", read_jit},
             {"DDIMScheduler", read_ddim},
             {"DDPMScheduler", read_ddpm},
             {"EulerDiscreteScheduler", read_euler},
             {"EulerAncestralDiscreteScheduler", read_euler_ancestral},
             {"HeunDiscreteScheduler", read_heun},
             {"DPMSolverMultistepScheduler", read_dpmpp},
             {"UniPCMultistepScheduler", read_unipc}};

int solver_settings_read(struct reference_case *c, struct solver_settings *s)
{
    const char *name = maskdm_file_metadata(c->file, "scheduler");
    size_t i = 0;

    while (name && i < sizeof types / sizeof *types && strcmp(types[i].scheduler, name) != 0)
        i++;
    if (name && i < sizeof types / sizeof *types)
        return types[i].read(c, s);
    skip(c, "scheduler", name ? name : "(none)");
    return -1;
}
