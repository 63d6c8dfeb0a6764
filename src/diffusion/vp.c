/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The variance-preserving process in continuous time (Song et al. 2021, arXiv 2011.13456), with the betas of its
 * authors: (noise / signal)^2 = exp(9.95 t^2 + 0.1 t) - 1.
 */
#include "diffusion/process.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

static const double half_slope = 9.95, least = 0.1; /* (beta_max - beta_min) / 2, beta_min */

static const struct mdm_option_table table = {"vp", "", "continuous time, signal and noise of constant sum",
                                              NULL, 0,  0};

static int create(struct mdm_process **out, const maskdm_options *options)
{
    struct mdm_process *p = mdm_need(1, sizeof *p, "a scheduler");

    (void)options;
    if (p)
        *p = (struct mdm_process){
            .kind = &mdm_process_vp, .first = 1e-5, .last = 1, .sigma_data = 1, .noise_scale = 1, .shift = 1};
    *out = p;
    return p ? MASKDM_OK : MASKDM_ENOMEM;
}

static double exponent(double time)
{
    return (half_slope * time + least) * time;
}

static struct mdm_level at(const struct mdm_process *p, double time)
{
    (void)p;
    return (struct mdm_level){exp(-exponent(time) / 2), sqrt(-expm1(-exponent(time)))};
}

static double ratio(const struct mdm_process *p, double time)
{
    (void)p;
    return log(expm1(exponent(time))) / 2;
}

/* exponent = ln(1 + exp(2 ratio)), a square equation in time. */
static double time_of(const struct mdm_process *p, double ratio)
{
    const double wanted = ratio > 300 ? 2 * ratio : log1p(exp(2 * ratio));

    (void)p;
    return 2 * wanted / (least + sqrt(least * least + 4 * half_slope * wanted));
}

static double draw(const struct mdm_process *p, struct mdm_rng *stream)
{
    return p->last + mdm_rng_uniform(stream) * (p->first - p->last);
}

static double network_time(const struct mdm_process *p, double time)
{
    (void)p;
    return 999 * time;
}

const struct mdm_process_class mdm_process_vp = {.name = "vp",
                                                 .options = &table,
                                                 .predictions = "noise|x0|v",
                                                 .preserves = 1,
                                                 .spacing = "time",
                                                 .create = create,
                                                 .at = at,
                                                 .ratio = ratio,
                                                 .time_of = time_of,
                                                 .path = mdm_process_ratio_path,
                                                 .draw = draw,
                                                 .network_time = network_time};
