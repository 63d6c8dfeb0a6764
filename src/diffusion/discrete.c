/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The discrete process (Ho et al. 2020): T whole times with a beta each. Between them, for solvers that stand there,
 * ln signal is linear.
 */
#include "diffusion/discrete.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/discrete_betas_file.h"

#include <math.h>
#include <string.h>

struct options {
    unsigned schedule; /* which of the kinds */
    int64_t shift_size;
    double beta_start, beta_end, sigmoid_start, sigmoid_end, sigmoid_tau;
    struct mdm_float_list given_betas;
    const char *betas_file;
    int64_t timesteps;
    int zero_terminal_snr;
};

#define WITH_ENDS "linear|scaled_linear|sigmoid_betas"

static const struct mdm_option rows[] = {
    {MDM_CHOICE(options, schedule), .standard = "cosine", .named = mdm_betas_name,
     .alias = "beta_schedule|noise_schedule|noise_scheduler|schedule_type",
     .help = "how the noise level grows with time"},
    {MDM_OPTION(options, shift_size), .standard = "64", .min = 1, .max = 65536, .unit = "pixels",
     .when = "shifted_cosine", .help = "image side d of the resolution shift (64/d)^2"},
    {MDM_OPTION(options, beta_start), .min = 1e-12, .max = 0.9999, .when = WITH_ENDS, .alias = "linear_start",
     .help = "first beta; unset: 1e-4 of sigmoid_betas, 0.00085 of scaled_linear, 0.1 / timesteps of linear"},
    {MDM_OPTION(options, beta_end), .min = 1e-12, .max = 0.9999, .when = WITH_ENDS, .alias = "linear_end",
     .help = "last beta; unset: 0.02 of sigmoid_betas, 0.012 of scaled_linear, 20 / timesteps of linear"},
    {MDM_OPTION(options, sigmoid_start), .standard = "-3", .min = -100, .max = 100, .when = "sigmoid",
     .help = "where on the sigmoid time begins"},
    {MDM_OPTION(options, sigmoid_end), .standard = "3", .min = -100, .max = 100, .when = "sigmoid",
     .help = "where on it time ends"},
    {MDM_OPTION(options, sigmoid_tau), .standard = "1", .min = 0.01, .max = 100, .when = "sigmoid",
     .help = "width of the sigmoid"},
    {MDM_OPTION(options, given_betas), .min = 0, .max = 1, .most = MDM_MOST_BETAS, .when = "given",
     .alias = "trained_betas", .help = "the betas themselves; timesteps is then how many there are"},
    {MDM_OPTION(options, betas_file), .is_path = 1, .when = "given",
     .help = "file that has them, a number a line; what is made keeps the numbers"},
    {MDM_OPTION(options, timesteps), .standard = "1000", .min = 1, .max = MDM_MOST_BETAS, .unit = "steps",
     .alias = "num_timesteps|n_timesteps|num_train_timesteps|diffusion_steps|num_diffusion_steps|noise_steps",
     .help = "length of the noising chain"},
    {MDM_OPTION(options, zero_terminal_snr), .standard = "false", .alias = "rescale_betas_zero_snr|zero_snr|zsnr",
     .help = "rescale the schedule so that nothing of the image is left at its end"},
};
static const struct mdm_option_table table = {
    "discrete", "", "noise in whole steps, as DDPM has it", rows, MDM_LENGTH(rows), sizeof(struct options)};

/* ---- betas that are given ---- */

static int read_file(maskdm_options *options, const char *path)
{
    double *beta;
    int64_t count;
    int status;

    MDM_TRY(mdm_betas_read(&beta, &count, path));
    status = mdm_betas_keep(options, beta, count);
    mdm_free(beta);
    return status;
}

/* Of schedule given: leave the betas, and their number, in the options. */
static int complete(maskdm_options *options)
{
    struct options o;

    mdm_options_read(options, &table, &o);
    if (strcmp(mdm_betas_name((int)o.schedule), "given") != 0)
        return MASKDM_OK;
    if (!o.given_betas.count == !*o.betas_file)
        return mdm_fail(MASKDM_EINVAL, "schedule given needs %s or %s%s", mdm_options_said(options, "betas_file"),
                        mdm_options_said(options, "given_betas"), *o.betas_file ? ", not both" : "");
    if (*o.betas_file)
        MDM_TRY(read_file(options, o.betas_file));
    mdm_options_read(options, &table, &o);
    if (mdm_options_is_set(options, "timesteps") && o.timesteps != o.given_betas.count)
        return mdm_fail(MASKDM_EINVAL, "%s is %lld, and %d betas are given: there are as many times as betas",
                        mdm_options_said(options, "timesteps"), (long long)o.timesteps, o.given_betas.count);
    return mdm_options_set_int(options, "timesteps", o.given_betas.count);
}

/* ---- the process ---- */

static void release(struct mdm_process *p)
{
    struct mdm_discrete *d = (struct mdm_discrete *)p;

    mdm_schedule_free(&d->schedule);
    mdm_free(d);
}

static int make(struct mdm_schedule *out, maskdm_options *options)
{
    struct mdm_betas how;
    struct options o;

    MDM_TRY(complete(options));
    mdm_options_read(options, &table, &o);
    how = (struct mdm_betas){.kind = o.schedule,
                             .timesteps = o.timesteps,
                             .shift_size = (double)o.shift_size,
                             .start = o.beta_start,
                             .end = o.beta_end,
                             .sigmoid_start = o.sigmoid_start,
                             .sigmoid_end = o.sigmoid_end,
                             .sigmoid_tau = o.sigmoid_tau,
                             .given = o.given_betas.value,
                             .zero_terminal_snr = o.zero_terminal_snr};
    return mdm_schedule_make(out, &how);
}

static int create(struct mdm_process **out, maskdm_options *options)
{
    struct mdm_discrete *d = mdm_need(1, sizeof *d, "a scheduler");
    int status;

    *out = NULL;
    if (!d)
        return MASKDM_ENOMEM;
    status = make(&d->schedule, options);
    if (status < 0) {
        mdm_free(d);
        return status;
    }
    d->base = (struct mdm_process){.kind = &mdm_process_discrete,
                                   .last = (double)(d->schedule.timesteps - 1),
                                   .image = -1,
                                   .sigma_data = 1,
                                   .noise_scale = 1,
                                   .shift = 1,
                                   .draw_deviation = 1};
    *out = &d->base;
    return MASKDM_OK;
}

static const struct mdm_schedule *schedule_of(const struct mdm_process *p)
{
    return &((const struct mdm_discrete *)p)->schedule;
}

static double noise_of(double log_signal)
{
    return sqrt(-expm1(2 * log_signal));
}

static struct mdm_level at(const struct mdm_process *p, double time)
{
    const double log_signal = mdm_schedule_log_signal(schedule_of(p), time);

    if (time == floor(time)) {
        const double abar = schedule_of(p)->abar[(int64_t)time];

        return (struct mdm_level){sqrt(abar), sqrt(1 - abar)};
    }
    return (struct mdm_level){exp(log_signal), noise_of(log_signal)};
}

static double ratio(const struct mdm_process *p, double time)
{
    const double log_signal = mdm_schedule_log_signal(schedule_of(p), time);

    return log(noise_of(log_signal)) - log_signal;
}

/* signal^2 = 1 / (1 + exp(2 ratio)) */
static double time_of(const struct mdm_process *p, double ratio)
{
    return mdm_schedule_time(schedule_of(p), -0.5 * log1p(exp(2 * ratio)));
}

static double time_at(const struct mdm_process *p, double share)
{
    return fmin(fmax(floor(share * (double)schedule_of(p)->timesteps), 0), p->last);
}

/* The middle of one of T parts. */
static double uniform(const struct mdm_process *p, struct mdm_rng *stream)
{
    const int64_t T = schedule_of(p)->timesteps;

    return ((double)mdm_rng_range(stream, (uint32_t)T) + 0.5) / (double)T;
}

static double network_time(const struct mdm_process *p, double time)
{
    (void)p;
    return time;
}

const struct mdm_schedule *mdm_discrete_schedule(const struct mdm_process *p)
{
    return p->kind == &mdm_process_discrete ? schedule_of(p) : NULL;
}

const struct mdm_process_class mdm_process_discrete = {.name = "discrete",
                                                       .options = &table,
                                                       .predictions = "noise|x0|v",
                                                       .preserves = 1,
                                                       .spacing = "whole",
                                                       .create = create,
                                                       .release = release,
                                                       .at = at,
                                                       .ratio = ratio,
                                                       .time_of = time_of,
                                                       .time_at = time_at,
                                                       .drawn = "uniform",
                                                       .uniform = uniform,
                                                       .network_time = network_time};
