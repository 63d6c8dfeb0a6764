/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flow matching on a straight path (Lipman et al. 2023, arXiv 2210.02747; Liu et al. 2023, arXiv 2209.03003):
 * x_t = (1 - t) x0 + t eps. Training draws t evenly or as the logistic function of a normal number, and may shift it
 * towards noise as resolution grows (Esser et al. 2024, arXiv 2403.03206).
 */
#include "diffusion/process.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

enum { UNIFORM, LOGIT_NORMAL }; /* time_draw */

struct options {
    unsigned time_draw, flow_time;
    double time_mean, time_std, time_shift, time_scale, noise_scale;
};

static const struct mdm_option rows[] = {
    {MDM_CHOICE(options, time_draw), .standard = "logit_normal", .choices = "uniform|logit_normal",
     .help = "how training draws its times"},
    {MDM_OPTION(options, time_mean), .standard = "0", .min = -20, .max = 20, .when = "logit_normal",
     .alias = "logit_mean", .help = "mean of ln(t / (1 - t)); above 0 there is more noise"},
    {MDM_OPTION(options, time_std), .standard = "1", .min = 0.01, .max = 20, .when = "logit_normal",
     .alias = "logit_std", .help = "deviation of ln(t / (1 - t))"},
    {MDM_OPTION(options, time_shift), .standard = "1", .min = 0.01, .max = 100, .alias = "shift|flow_shift",
     .help = "s of the shift s t / (1 + (s - 1) t) towards noise, in training and by samplers"},
    {MDM_OPTION(options, time_scale), .standard = "1000", .min = 1e-3, .max = 1e6,
     .help = "what the network is told at the end of time, where that is 1"},
    {MDM_CHOICE(options, flow_time), .standard = "noise", .choices = "noise|data",
     .help = "where the network's time ends, and its velocity leads"},
    {MDM_OPTION(options, noise_scale), .standard = "1", .min = 0.01, .max = 100,
     .help = "deviation of the noise at the end of the path"},
};
static const struct mdm_option_table table = {
    "flow", "", "flow matching on straight paths", rows, MDM_LENGTH(rows), sizeof(struct options)};

struct flow {
    struct mdm_process base;
    double mean, deviation; /* of the logit of t in training; deviation 0: t is uniform */
    double time_scale;
};

static int create(struct mdm_process **out, maskdm_options *options)
{
    struct flow *f = mdm_need(1, sizeof *f, "a scheduler");
    struct options o;

    *out = NULL;
    if (!f)
        return MASKDM_ENOMEM;
    mdm_options_read(options, &table, &o);
    f->base = (struct mdm_process){.kind = &mdm_process_flow,
                                   .last = 1,
                                   .sigma_data = 1,
                                   .noise_scale = o.noise_scale,
                                   .shift = o.time_shift,
                                   .data_last = o.flow_time != 0};
    f->mean = o.time_mean;
    f->deviation = o.time_draw == LOGIT_NORMAL ? o.time_std : 0;
    f->time_scale = o.time_scale;
    *out = &f->base;
    return MASKDM_OK;
}

static struct mdm_level at(const struct mdm_process *p, double time)
{
    return (struct mdm_level){1 - time, time * p->noise_scale};
}

/* noise / signal = noise_scale t / (1 - t) */
static double ratio(const struct mdm_process *p, double time)
{
    return log(p->noise_scale * time / (1 - time));
}

static double time_of(const struct mdm_process *p, double ratio)
{
    return 1 / (1 + p->noise_scale * exp(-ratio));
}

static struct mdm_path path(const struct mdm_process *p, double time)
{
    (void)p;
    return (struct mdm_path){1, time};
}

static double draw(const struct mdm_process *p, struct mdm_rng *stream)
{
    const struct flow *f = (const struct flow *)p;
    double time;
    float normal;

    if (f->deviation > 0) {
        mdm_rng_normal(&normal, 1, stream, 0);
        time = 1 / (1 + exp(-(f->mean + f->deviation * (double)normal)));
    } else {
        time = mdm_rng_uniform(stream);
    }
    return fmin(mdm_process_shift(p, time), p->last);
}

static double network_time(const struct mdm_process *p, double time)
{
    return ((const struct flow *)p)->time_scale * (p->data_last ? 1 - time : time);
}

const struct mdm_process_class mdm_process_flow = {.name = "flow",
                                                   .options = &table,
                                                   .predictions = "velocity|x0|noise",
                                                   .straight = 1,
                                                   .spacing = "time",
                                                   .create = create,
                                                   .at = at,
                                                   .ratio = ratio,
                                                   .time_of = time_of,
                                                   .path = path,
                                                   .draw = draw,
                                                   .network_time = network_time};
