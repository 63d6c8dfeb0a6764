/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DDIM (Song et al. 2021, eq. 12 and 16): any falling times, and any eta between the deterministic 0 and 1, which on
 * the discrete process over all T times is ancestral sampling. At eta 0 it is Euler's method on every process.
 *
 * Where x0 is clipped, programs differ in the noise that goes with it: the one that led to x0 before (diffusers), the
 * one that follows from it now (Dhariwal and Nichol 2021), or one and the other by what the network predicts (the
 * authors of MaskDM).
 */
#include "diffusion/ddim.h"

#include "base/error.h"

#include <math.h>

enum { AUTO, FROM_NETWORK, FROM_CLIPPED }; /* step_noise */

struct options {
    int64_t steps;
    double eta;
    unsigned step_noise;
};

static const struct mdm_option rows[] = {
    {MDM_STEPS(options, "50")},
    {MDM_ETA(options, "0")},
    {MDM_CHOICE(options, step_noise), .standard = "auto", .choices = "auto|network|clipped",
     .help =
         "the noise that a step keeps: the network's, or what follows from the clipped image; auto: the network's "
         "where that is what it predicts"},
};
static const struct mdm_option_table table = {
    "ddim", "", "steps that may skip times", rows, MDM_LENGTH(rows), sizeof(struct options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    struct options o;

    mdm_options_read(options, &table, &o);
    s->steps = o.steps;
    s->eta = o.eta;
    if (o.step_noise == FROM_CLIPPED || (o.step_noise == FROM_NETWORK && s->eps != MDM_EPS_F))
        s->eps = o.step_noise == FROM_CLIPPED ? MDM_EPS_CLIPPED : MDM_EPS_UNCLIPPED;
    return MASKDM_OK;
}

int mdm_ddim_evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_stop from = s->way[e].from, to = s->way[e].to;
    const struct mdm_level a = from.level, b = to.level;
    const double left = b.noise * a.signal / (a.noise * b.signal); /* of the noise-to-signal ratio */
    const double most = b.noise * sqrt(1 - left * left), fresh = s->eta * most;

    if (fresh > b.noise)
        return mdm_fail(MASKDM_EINVAL, "eta %g is too large for the step from %g to %g: %g at most", s->eta,
                        from.time, to.time, b.noise / most);
    *out = (struct mdm_evaluation){.step = e, .at = from, .before_x = 1};
    out->next = (struct mdm_terms){.x0 = b.signal, .eps = sqrt(b.noise * b.noise - fresh * fresh), .z = fresh};
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_ddim = {
    .name = "ddim", .options = &table, .strides = 1, .read = read, .evaluation = mdm_ddim_evaluation};
