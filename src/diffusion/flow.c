/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flow matching (Lipman et al. 2023, arXiv 2210.02747; Liu et al. 2023, arXiv 2209.03003) on the straight path, x_t =
 * (1 - t) x0 + t noise_scale eps, or on those that preserve variance (Ma et al. 2024, arXiv 2401.08740, as SiT has
 * them): gvp, a quarter of a circle, and vp, with betas from 0.1 to 20. Training draws t evenly or as the logistic
 * function of a normal number, and may shift it towards noise as resolution grows (Esser et al. 2024, arXiv
 * 2403.03206).
 */
#include "diffusion/vp_line.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

enum { LINEAR, GVP, VP }; /* flow_path */
static const double HALF_PI = 1.57079632679489661923;

struct options {
    unsigned flow_path, flow_time;
    double time_shift, time_scale, noise_scale;
};

static const struct mdm_option rows[] = {
    {MDM_CHOICE(options, flow_path), .standard = "linear", .choices = "linear|gvp|vp", .alias = "path_type",
     .help = "from image to noise: a straight line, a quarter of a circle, or the vp process"},
    {MDM_OPTION(options, time_shift), .standard = "1", .min = 0.01, .max = 100, .alias = "flow_shift",
     .help = "s of the shift s t / (1 + (s - 1) t) towards noise, in training and by samplers"},
    {MDM_OPTION(options, time_scale), .standard = "1000", .min = 1e-3, .max = 1e6,
     .help = "what the network is told at the end of time, where that is 1"},
    {MDM_CHOICE(options, flow_time), .standard = "noise", .choices = "noise|data",
     .help = "where the network's time ends, and its velocity leads"},
    {MDM_OPTION(options, noise_scale), .standard = "1", .min = 0.01, .max = 100, .when = "linear",
     .help = "deviation of the noise at the end of the path"},
};
static const struct mdm_option_table table = {
    "flow", "", "flow matching", rows, MDM_LENGTH(rows), sizeof(struct options)};

struct flow {
    struct mdm_process base;
    const struct path *path;
    double time_scale;
};

/* ---- paths ---- */

struct path {
    double first; /* least time at which the velocity is finite */
    struct mdm_level (*at)(const struct mdm_process *p, double time);
    double (*ratio)(const struct mdm_process *p, double time);
    double (*time_of)(const struct mdm_process *p, double ratio);
    struct mdm_level (*slope)(const struct mdm_process *p, struct mdm_level at);
};

static struct mdm_level linear_at(const struct mdm_process *p, double time)
{
    return (struct mdm_level){1 - time, time * p->noise_scale};
}

/* noise / signal = noise_scale t / (1 - t) */
static double linear_ratio(const struct mdm_process *p, double time)
{
    return log(p->noise_scale * time / (1 - time));
}

static double linear_time(const struct mdm_process *p, double ratio)
{
    return 1 / (1 + p->noise_scale * exp(-ratio));
}

static struct mdm_level linear_slope(const struct mdm_process *p, struct mdm_level at)
{
    (void)at;
    return (struct mdm_level){-1, p->noise_scale};
}

static struct mdm_level gvp_at(const struct mdm_process *p, double time)
{
    (void)p;
    return (struct mdm_level){time < 1 ? cos(HALF_PI * time) : 0, sin(HALF_PI * time)};
}

static double gvp_ratio(const struct mdm_process *p, double time)
{
    const struct mdm_level at = gvp_at(p, time);

    return log(at.noise / at.signal);
}

static double gvp_time(const struct mdm_process *p, double ratio)
{
    (void)p;
    return atan(exp(ratio)) / HALF_PI;
}

static struct mdm_level gvp_slope(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    return (struct mdm_level){-HALF_PI * at.noise, HALF_PI * at.signal};
}

static const struct mdm_vp_line betas = {9.95, 0.1};

static struct mdm_level vp_at(const struct mdm_process *p, double time)
{
    (void)p;
    return mdm_vp_line_at(&betas, time);
}

static double vp_ratio(const struct mdm_process *p, double time)
{
    (void)p;
    return mdm_vp_line_ratio(&betas, time);
}

static double vp_time(const struct mdm_process *p, double ratio)
{
    (void)p;
    return mdm_vp_line_time(&betas, ratio);
}

static struct mdm_level vp_slope(const struct mdm_process *p, struct mdm_level at)
{
    (void)p;
    return mdm_vp_line_slope(&betas, at);
}

static const struct path paths[] = {[LINEAR] = {0, linear_at, linear_ratio, linear_time, linear_slope},
                                    [GVP] = {0, gvp_at, gvp_ratio, gvp_time, gvp_slope},
                                    [VP] = {1e-5, vp_at, vp_ratio, vp_time, vp_slope}};

/* ---- the process ---- */

static int create(struct mdm_process **out, maskdm_options *options)
{
    struct flow *f = mdm_need(1, sizeof *f, "a scheduler");
    struct options o;

    *out = NULL;
    if (!f)
        return MASKDM_ENOMEM;
    mdm_options_read(options, &table, &o);
    f->path = &paths[o.flow_path];
    f->base = (struct mdm_process){.kind = &mdm_process_flow,
                                   .first = f->path->first,
                                   .last = 1,
                                   .sigma_data = 1,
                                   .noise_scale = o.noise_scale,
                                   .shift = o.time_shift,
                                   .draw_deviation = 1,
                                   .data_last = o.flow_time != 0};
    f->time_scale = o.time_scale;
    *out = &f->base;
    return MASKDM_OK;
}

static const struct path *path_of(const struct mdm_process *p)
{
    return ((const struct flow *)p)->path;
}

static struct mdm_level at(const struct mdm_process *p, double time)
{
    return path_of(p)->at(p, time);
}

static double ratio(const struct mdm_process *p, double time)
{
    return path_of(p)->ratio(p, time);
}

static double time_of(const struct mdm_process *p, double ratio)
{
    return path_of(p)->time_of(p, ratio);
}

static struct mdm_level slope(const struct mdm_process *p, struct mdm_level at)
{
    return path_of(p)->slope(p, at);
}

/* Any path is the straight one of x / (signal + noise), at the share that the noise has of their sum. */
static struct mdm_path path(const struct mdm_process *p, double time)
{
    const struct mdm_level level = mdm_process_at(p, time);
    const double noise = level.noise / p->noise_scale;

    if (path_of(p) == &paths[LINEAR])
        return (struct mdm_path){1, time};
    return (struct mdm_path){level.signal + noise, noise / (level.signal + noise)};
}

static double time_at(const struct mdm_process *p, double share)
{
    return fmax(fmin(mdm_process_shift(p, p->first + share * (p->last - p->first)), p->last), p->first);
}

static double network_time(const struct mdm_process *p, double time)
{
    return ((const struct flow *)p)->time_scale * (p->data_last ? 1 - time : time);
}

const struct mdm_process_class mdm_process_flow = {.name = "flow",
                                                   .options = &table,
                                                   .predictions = "velocity|x0|noise|score",
                                                   .spacing = "time",
                                                   .create = create,
                                                   .at = at,
                                                   .ratio = ratio,
                                                   .time_of = time_of,
                                                   .path = path,
                                                   .slope = slope,
                                                   .time_at = time_at,
                                                   .drawn = "logit_normal",
                                                   .network_time = network_time};
