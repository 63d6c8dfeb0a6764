/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2): the probability flow in h, the step of half the
 * log signal-to-noise ratio, with the clean image taken as linear over the last two steps. Its first step is of first
 * order, and so is the last of fewer than ten, as its authors have it; that order alone is DDIM at eta 0.
 *
 * On processes that preserve variance its times end at the least noise: the last x is the image.
 */
#include "base/error.h"
#include "diffusion/method.h"

#include <math.h>

enum { FEW_STEPS = 10 };

struct options {
    int64_t steps;
};

static const struct mdm_option rows[] = {{MDM_STEPS(options, "50")}};
static const struct mdm_option_table table = {
    "dpmpp", "", "second order over the last two steps", rows, MDM_LENGTH(rows), sizeof(struct options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    const struct mdm_process *p = s->scheduler->process;
    struct options o;

    mdm_options_read(options, &table, &o);
    s->steps = o.steps;
    if (!(p->last > p->first))
        return mdm_fail(MASKDM_EINVAL, "dpmpp needs a schedule of at least 2 timesteps");
    if (mdm_process_at(p, p->last).signal == 0)
        return mdm_fail(MASKDM_EINVAL, "sampler dpmpp has no meaning for process %s, which begins without signal",
                        p->kind->name);
    return MASKDM_OK;
}

/* The x0 before this one's share of a step is what the line through both leaves it. */
static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_stop from = s->way[e].from, to = s->way[e].to;
    const struct mdm_level a = from.level, b = to.level;
    double step, gain;

    *out = (struct mdm_evaluation){.step = e, .at = from, .before_x = 1, .next = {.x0 = 1}};
    if (b.noise == 0)
        return MASKDM_OK;
    step = from.ratio - to.ratio;
    gain = -b.signal * expm1(-step);
    out->next.x = b.noise / a.noise;
    out->next.x0 = gain;
    if (e > s->restart && !(e + 1 == s->steps && s->steps < FEW_STEPS)) {
        const double slope = gain / 2 * step / (s->way[e - 1].from.ratio - from.ratio);

        out->next.x0 += slope;
        out->next.before[0] = -slope;
    }
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_dpmpp = {.name = "dpmpp",
                                                  .options = &table,
                                                  .looks_back = 1,
                                                  .stops_before = 1,
                                                  .listing = MDM_LISTING_SHORT,
                                                  .read = read,
                                                  .evaluation = evaluation};
