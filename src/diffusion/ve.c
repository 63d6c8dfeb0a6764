/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The variance-exploding process of Song et al. 2021 (arXiv 2011.13456) as Karras et al. 2022 have it (arXiv
 * 2206.00364, table 1): the image stays as it is, time is the noise's deviation sigma, and training draws ln sigma
 * evenly.
 */
#include "diffusion/process.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

struct options {
    double sigma_min, sigma_max;
};

static const struct mdm_option rows[] = {
    {MDM_OPTION(options, sigma_min), .standard = "0.02", .min = 1e-6, .max = 1e6,
     .help = "deviation of the least noise"},
    {MDM_OPTION(options, sigma_max), .standard = "100", .min = 1e-6, .max = 1e6,
     .help = "deviation of the most noise"},
};
static const struct mdm_option_table table = {"ve",
                                              "",
                                              "images under noise that grows evenly in its logarithm",
                                              rows,
                                              MDM_LENGTH(rows),
                                              sizeof(struct options)};

static int create(struct mdm_process **out, maskdm_options *options)
{
    struct mdm_process *p;
    struct options o;

    *out = NULL;
    mdm_options_read(options, &table, &o);
    if (o.sigma_min >= o.sigma_max)
        return mdm_fail(MASKDM_EINVAL, "%s %g is not below %s %g", mdm_options_said(options, "sigma_min"),
                        o.sigma_min, mdm_options_said(options, "sigma_max"), o.sigma_max);
    p = mdm_need(1, sizeof *p, "a scheduler");
    if (!p)
        return MASKDM_ENOMEM;
    *p = (struct mdm_process){.kind = &mdm_process_ve,
                              .first = o.sigma_min,
                              .last = o.sigma_max,
                              .sigma_data = 1,
                              .noise_scale = 1,
                              .shift = 1,
                              .draw_deviation = 1};
    *out = p;
    return MASKDM_OK;
}

static struct mdm_level at(const struct mdm_process *p, double time)
{
    (void)p;
    return (struct mdm_level){1, time};
}

static double ratio(const struct mdm_process *p, double time)
{
    (void)p;
    return log(time);
}

static double time_of(const struct mdm_process *p, double ratio)
{
    (void)p;
    return exp(ratio);
}

static double time_at(const struct mdm_process *p, double share)
{
    return p->first * pow(p->last / p->first, share);
}

static double network_time(const struct mdm_process *p, double time)
{
    (void)p;
    return log(time / 2);
}

const struct mdm_process_class mdm_process_ve = {.name = "ve",
                                                 .options = &table,
                                                 .predictions = "ve|noise|x0|score",
                                                 .spacing = "karras",
                                                 .create = create,
                                                 .at = at,
                                                 .ratio = ratio,
                                                 .time_of = time_of,
                                                 .path = mdm_process_ratio_path,
                                                 .time_at = time_at,
                                                 .drawn = "uniform",
                                                 .network_time = network_time};
