/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The numbers of consistency tuning.
 */
#include "diffusion/consistency.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static double evenly(const struct mdm_consistency_options *o, double t)
{
    (void)o;
    (void)t;
    return 1;
}

/* The less noise, the longer the steps: up to 1 + k / 2 times as long. */
static double longer_below(const struct mdm_consistency_options *o, double t)
{
    return 1 + o->k / (1 + exp(o->b * t));
}

/* In the order of the option's choices. */
static double (*const mappings[])(const struct mdm_consistency_options *o, double t) = {longer_below, evenly};

/* The place of log_normal among the options' choices. */
static unsigned log_normal(void)
{
    unsigned i = 0;

    while (strcmp(mdm_time_draw_name((int)i), "log_normal") != 0)
        i++;
    return i;
}

/* A prediction that leaves x_t out does not turn into x_t where the noise ends, so that its error there stays while
 * 1 / (t - r) grows. */
static double own_floor(const maskdm_scheduler *s)
{
    const struct mdm_level middle = mdm_process_at(s->process, mdm_process_time_of(s->process, 0));

    return s->prediction->clean(s->process, middle).a == 0 ? 0.05 : 0;
}

int mdm_consistency_read(struct mdm_consistency *out, const maskdm_scheduler *s, const maskdm_options *options)
{
    static const double nearest = 1e-6; /* of t, a few roundings of float32 */
    struct mdm_consistency_options o;
    struct mdm_time_wish wish = {.kind = log_normal(), .spread = (unsigned)s->draw.even, .mode_scale = (double)NAN};

    mdm_options_read(options, &mdm_consistency_options, &o);
    wish.mean = o.mean;
    wish.deviation = o.std;
    if (pow(o.q, -(double)o.stages) < nearest)
        return mdm_fail(MASKDM_EINVAL,
                        "%s %g in %s %lld makes steps of %.2g of the noise: below %g float32 cannot tell them apart",
                        mdm_options_said(options, "q"), o.q, mdm_options_said(options, "stages"), (long long)o.stages,
                        pow(o.q, -(double)o.stages), nearest);
    *out = (struct mdm_consistency){.told = o};
    out->floor = *mdm_options_text(options, "floor") ? o.floor : own_floor(s);
    return mdm_time_draw_choose(&out->draw, s->process, &wish, options);
}

int64_t mdm_consistency_stage(const struct mdm_consistency *c, int64_t step)
{
    const int64_t stage = c->told.every ? step / c->told.every : 0;

    return stage < c->told.stages ? stage : c->told.stages - 1;
}

/* Noise over signal; where nothing of the image is left, more than any number that matters. */
static double ratio_of(const maskdm_scheduler *s, double time)
{
    const struct mdm_level at = mdm_process_at(s->process, time);

    return at.signal > 0 ? fmin(at.noise / at.signal, 1e6) : 1e6;
}

double mdm_consistency_time(const struct mdm_consistency *c, const maskdm_scheduler *s, int64_t stage, double time)
{
    const struct mdm_consistency_options *o = &c->told;
    const double t = ratio_of(s, time);
    const double r = t * (1 - mappings[o->mapping](o, t) * pow(o->q, -(double)(stage + 1)));
    double below;

    if (!(r > 0) || r < ratio_of(s, s->process->first))
        return s->process->image;
    below = mdm_process_time_of(s->process, log(r));
    return below < time ? below : s->process->image; /* no time has r, where t's has nothing of the image */
}

struct mdm_consistency_facts mdm_consistency_facts(const struct mdm_consistency *c, const maskdm_scheduler *s,
                                                   double t, double r)
{
    const struct mdm_level at = mdm_process_at(s->process, t), below = mdm_process_at(s->process, r);
    const struct mdm_pair clean = s->prediction->clean(s->process, at);
    const double gap = ratio_of(s, t) - ratio_of(s, r);
    struct mdm_consistency_facts f = {.teaches = r != s->process->image};
    struct mdm_pair there = {1, 0}; /* D at r without its network, of x0 and noise */

    if (clean.b == 0 || !(gap > 0))
        return (struct mdm_consistency_facts){0};
    if (f.teaches) {
        const struct mdm_pair taught = s->prediction->clean(s->process, below);

        f.teacher = taught.b / clean.b;
        there = (struct mdm_pair){taught.a * below.signal, taught.a * below.noise};
    }
    f.target.a = (there.a - clean.a * at.signal) / clean.b;
    f.target.b = (there.b - clean.a * at.noise) / clean.b;
    f.weight = fabs(clean.b) / gap;
    if (c->floor > 0)
        f.weight *= fmin(ratio_of(s, t) / c->floor, 1);
    f.delta = c->told.huber / fabs(clean.b);
    return f;
}
