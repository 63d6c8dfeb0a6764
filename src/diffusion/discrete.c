/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The discrete process (Ho et al. 2020): T whole times with a beta each. Between them, for solvers that stand there,
 * ln signal is linear.
 */
#include "diffusion/discrete.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

struct options {
    unsigned schedule; /* which of the kinds */
    int64_t shift_size, timesteps;
};

static const struct mdm_option rows[] = {
    {MDM_CHOICE(options, schedule), .standard = "cosine", .named = mdm_schedule_name,
     .alias = "beta_schedule|noise_schedule|noise_scheduler|schedule_type",
     .help = "how the noise level grows with time"},
    {MDM_OPTION(options, shift_size), .standard = "64", .min = 1, .max = 65536, .unit = "pixels",
     .when = "shifted_cosine", .help = "image side d of the resolution shift (64/d)^2"},
    {MDM_OPTION(options, timesteps), .standard = "1000", .min = 1, .max = 100000, .unit = "steps",
     .alias = "num_timesteps|n_timesteps|num_train_timesteps|diffusion_steps|num_diffusion_steps|noise_steps",
     .help = "length of the noising chain"},
};
static const struct mdm_option_table table = {
    "discrete", "", "noise in whole steps, as DDPM has it", rows, MDM_LENGTH(rows), sizeof(struct options)};

static void release(struct mdm_process *p)
{
    struct mdm_discrete *d = (struct mdm_discrete *)p;

    mdm_schedule_free(&d->schedule);
    mdm_free(d);
}

static int create(struct mdm_process **out, const maskdm_options *options)
{
    struct mdm_discrete *d = mdm_need(1, sizeof *d, "a scheduler");
    struct options o;
    int status;

    *out = NULL;
    if (!d)
        return MASKDM_ENOMEM;
    mdm_options_read(options, &table, &o);
    status = mdm_schedule_make(&d->schedule, (int)o.schedule, o.timesteps, (double)o.shift_size);
    if (status < 0) {
        mdm_free(d);
        return status;
    }
    d->base = (struct mdm_process){.kind = &mdm_process_discrete,
                                   .last = (double)(d->schedule.timesteps - 1),
                                   .image = -1,
                                   .sigma_data = 1,
                                   .noise_scale = 1,
                                   .shift = 1};
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

static double draw(const struct mdm_process *p, struct mdm_rng *stream)
{
    return mdm_rng_range(stream, (uint32_t)schedule_of(p)->timesteps);
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
                                                       .path = mdm_process_ratio_path,
                                                       .draw = draw,
                                                       .network_time = network_time};
