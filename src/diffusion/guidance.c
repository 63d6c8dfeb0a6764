/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How far guidance goes, and where.
 */
#include "diffusion/guidance.h"

#include "base/error.h"

int mdm_guidance_read(struct mdm_guidance *out, const maskdm_options *options)
{
    struct mdm_sampler_options o;

    mdm_options_read(options, &mdm_sampler_options, &o);
    *out = (struct mdm_guidance){.scale = o.guidance,
                                 .low = o.guidance_low,
                                 .high = o.guidance_high,
                                 .ends = o.guidance_ends,
                                 .channels = o.guidance_channels};
    if (o.guidance_high == 0 || o.guidance_low <= o.guidance_high)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %g is above %s %g; guidance acts from the lower ratio of noise to the higher",
                    mdm_options_said(options, "guidance_low"), o.guidance_low,
                    mdm_options_said(options, "guidance_high"), o.guidance_high);
}

int mdm_guidance_check(const struct mdm_guidance *g, int64_t channels, const char *said)
{
    if (g->channels <= channels)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %lld of images with %lld channels", said, (long long)g->channels,
                    (long long)channels);
}

/* A ratio that comes out of a process's arithmetic is at the end that a person wrote if it is this close. */
static const double close = 1e-9;

double mdm_guidance_at(const struct mdm_guidance *g, struct mdm_level level)
{
    /* Of products, since there may be no signal. */
    const double low = g->low * level.signal * (g->ends ? 1 - close : 1 + close);
    const double high = g->high * level.signal * (g->ends ? 1 + close : 1 - close);
    const int above = g->low == 0 || (g->ends ? level.noise >= low : level.noise > low);
    const int below = g->high == 0 || (g->ends ? level.noise <= high : level.noise < high);

    return above && below ? g->scale : 1;
}

struct mdm_mix mdm_guidance_job(const struct mdm_guidance *g, double scale, int64_t n, int64_t channels,
                                float *strong, const float *weak)
{
    return (struct mdm_mix){.n = n,
                            .count = 2,
                            .x = {weak, strong},
                            .a = {1 - scale, scale},
                            .y = strong,
                            .channels = g->channels ? channels : 0,
                            .mixed = g->channels};
}
