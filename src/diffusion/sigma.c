/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Time as the noise's deviation.
 */
#include "diffusion/sigma.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

int mdm_sigma_create(struct mdm_process **out, const maskdm_options *options, struct mdm_process facts)
{
    *out = NULL;
    if (facts.first >= facts.last)
        return mdm_fail(MASKDM_EINVAL, "%s %g is not below %s %g", mdm_options_said(options, "sigma_min"),
                        facts.first, mdm_options_said(options, "sigma_max"), facts.last);
    *out = mdm_need(1, sizeof **out, "a scheduler");
    if (!*out)
        return MASKDM_ENOMEM;
    facts.noise_scale = facts.shift = 1;
    **out = facts;
    return MASKDM_OK;
}

struct mdm_level mdm_sigma_at(const struct mdm_process *p, double time)
{
    (void)p;
    return (struct mdm_level){1, time};
}

double mdm_sigma_ratio(const struct mdm_process *p, double time)
{
    (void)p;
    return log(time);
}

double mdm_sigma_time_of(const struct mdm_process *p, double ratio)
{
    (void)p;
    return exp(ratio);
}

double mdm_sigma_time_at(const struct mdm_process *p, double share)
{
    return p->first * pow(p->last / p->first, share);
}
