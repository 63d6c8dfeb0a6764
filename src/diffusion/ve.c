/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The variance-exploding process of Song et al. 2021 (arXiv 2011.13456) as Karras et al. 2022 have it (arXiv
 * 2206.00364, table 1): the image stays as it is, time is the noise's deviation sigma, and training draws ln sigma
 * evenly.
 */
#include "diffusion/sigma.h"

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
    struct options o;

    mdm_options_read(options, &table, &o);
    return mdm_sigma_create(out, options,
                            (struct mdm_process){.kind = &mdm_process_ve,
                                                 .first = o.sigma_min,
                                                 .last = o.sigma_max,
                                                 .sigma_data = 1,
                                                 .draw_deviation = 1});
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
                                                 .at = mdm_sigma_at,
                                                 .ratio = mdm_sigma_ratio,
                                                 .time_of = mdm_sigma_time_of,
                                                 .time_at = mdm_sigma_time_at,
                                                 .drawn = "uniform",
                                                 .network_time = network_time};
