/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a consistency model is sampled by (Song et al. 2023, arXiv 2303.01469, algorithm 1; Geng et al. 2024): the
 * image that the network sees in noise, put under fresh noise of a lower level, where it looks again. One step is one
 * evaluation. Where no times are given, the levels between are the authors', a few noise-to-signal ratios.
 */
#include "base/error.h"
#include "diffusion/method.h"

#include <math.h>

struct options {
    int64_t steps;
    struct mdm_float_list mid;
};

static const struct mdm_option rows[] = {
    {MDM_STEPS(options, "2")},
    {MDM_OPTION(options, mid), .standard = "0.821", .min = 1e-6, .max = 1e6, .most = 64, .alias = "mid_t",
     .help = "noise-to-signal ratios, falling, at which every step but the first begins, unless a spacing is given"},
};
static const struct mdm_option_table table = {
    "consistency", "", "an image at once, and again from less noise", rows, MDM_LENGTH(rows), sizeof(struct options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    struct options o;

    mdm_options_read(options, &table, &o);
    s->steps = o.steps;
    return MASKDM_OK;
}

/* The first stop is the process's last time. */
static int place(struct mdm_method *s, const maskdm_options *options)
{
    const struct mdm_process *p = s->scheduler->process;
    struct options o;

    mdm_options_read(options, &table, &o);
    if (o.mid.count < s->steps - 1)
        return mdm_fail(MASKDM_EINVAL, "%s %lld of %s consistency need %lld values of %s, which has %d, or a %s",
                        mdm_options_said(options, "steps"), (long long)s->steps, mdm_options_said(options, "sampler"),
                        (long long)s->steps - 1, mdm_options_said(options, "mid"), o.mid.count,
                        mdm_options_said(options, "spacing"));
    for (int64_t i = 0; i < s->steps; i++)
        s->way[i].from = mdm_stop_at(p, i ? mdm_process_time_of(p, log(o.mid.value[i - 1])) : p->last);
    return MASKDM_OK;
}

static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_level to = s->way[e].to.level;

    *out = (struct mdm_evaluation){.step = e, .at = s->way[e].from, .before_x = 1};
    out->next = (struct mdm_terms){.x0 = to.signal, .z = to.noise};
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_consistency = {.name = "consistency",
                                                        .options = &table,
                                                        .listing = MDM_LISTING_REAL,
                                                        .read = read,
                                                        .place = place,
                                                        .evaluation = evaluation};
