/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The process of Karras et al. 2022 (arXiv 2206.00364, table 1): the image stays as it is, time is the noise's
 * deviation sigma, and training draws ln sigma from a normal distribution.
 */
#include "diffusion/sigma.h"

#include "base/error.h"

#include <math.h>

struct options {
    double sigma_data, sigma_min, sigma_max, log_sigma_mean, log_sigma_std;
};

static const struct mdm_option rows[] = {
    {MDM_OPTION(options, sigma_data), .standard = "0.5", .min = 1e-3, .max = 1e3,
     .help = "deviation of the data, whose values are -1 .. 1"},
    {MDM_OPTION(options, sigma_min), .standard = "0.002", .min = 1e-6, .max = 1e6,
     .help = "deviation of the least noise"},
    {MDM_OPTION(options, sigma_max), .standard = "80", .min = 1e-6, .max = 1e6,
     .help = "deviation of the most noise"},
    {MDM_OPTION(options, log_sigma_mean), .standard = "-1.2", .min = -20, .max = 20, .alias = "p_mean",
     .help = "mean of the logarithm of the noise's deviation in training"},
    {MDM_OPTION(options, log_sigma_std), .standard = "1.2", .min = 0, .max = 20, .alias = "p_std",
     .help = "deviation of that logarithm"},
};
static const struct mdm_option_table table = {
    "edm", "", "images under noise of growing deviation", rows, MDM_LENGTH(rows), sizeof(struct options)};

static int create(struct mdm_process **out, maskdm_options *options)
{
    struct options o;

    mdm_options_read(options, &table, &o);
    return mdm_sigma_create(out, options,
                            (struct mdm_process){.kind = &mdm_process_edm,
                                                 .first = o.sigma_min,
                                                 .last = o.sigma_max,
                                                 .sigma_data = o.sigma_data,
                                                 .draw_mean = o.log_sigma_mean,
                                                 .draw_deviation = o.log_sigma_std});
}

static double network_time(const struct mdm_process *p, double time)
{
    (void)p;
    return log(time) / 4;
}

static double input_scale(const struct mdm_process *p, double time)
{
    return 1 / sqrt(time * time + p->sigma_data * p->sigma_data);
}

const struct mdm_process_class mdm_process_edm = {.name = "edm",
                                                  .options = &table,
                                                  .predictions = "edm|noise|x0",
                                                  .spacing = "karras",
                                                  .create = create,
                                                  .at = mdm_sigma_at,
                                                  .ratio = mdm_sigma_ratio,
                                                  .time_of = mdm_sigma_time_of,
                                                  .time_at = mdm_sigma_time_at,
                                                  .drawn = "log_normal",
                                                  .network_time = network_time,
                                                  .input_scale = input_scale};
